/// Draws a record: all calls above, then a row per instance, with what was done to whom.
struct Picture {
    private let record: Record
    private let title: String
    private let subtitle: String
    private var svg: SVG

    private static let left = 96.0
    private static let right = 24.0
    private static let top = 112.0
    private static let totalHeight = 120.0
    private static let rowHeight = 30.0
    private static let gap = 34.0
    private static let width = 1200.0

    private static let ink = "#0f172a"
    private static let faint = "#94a3b8"
    private static let grid = "#e2e8f0"
    private static let calls = "#0d9488"
    private static let callsFill = "#99e2d8"
    private static let resent = "#f59e0b"
    private static let resentFill = "#fcd34d"
    private static let lost = "#dc2626"
    private static let kill = "#dc2626"
    private static let end = "#7c3aed"
    private static let start = "#16a34a"
    private static let registry = "#64748b"

    private var plotWidth: Double { Self.width - Self.left - Self.right }
    private var rowsTop: Double { Self.top + Self.totalHeight + Self.gap }
    private var bottom: Double { rowsTop + Double(record.instances) * Self.rowHeight }
    private var seconds: Double { Double(record.columns - 1) * Record.step }

    init(_ record: Record, title: String, subtitle: String) {
        self.record = record
        self.title = title
        self.subtitle = subtitle
        let rows = Double(record.instances) * Self.rowHeight
        svg = SVG(width: Self.width, height: Self.top + Self.totalHeight + Self.gap + rows + 44)
    }

    /// The whole picture as an SVG document.
    mutating func draw() -> String {
        svg.rectangle(x: 0, y: 0, width: svg.width, height: svg.height, fill: "#ffffff")
        drawHeading()
        drawTime()
        drawRegistry()
        drawTotal()
        drawRows()
        drawEvents()
        return svg.document
    }

    private func x(_ seconds: Double) -> Double {
        Self.left + seconds / self.seconds * plotWidth
    }

    private func rowTop(_ instance: Int) -> Double { rowsTop + Double(instance) * Self.rowHeight }

    private mutating func drawHeading() {
        svg.text(title, x: 24, y: 36, size: 20, fill: Self.ink, bold: true)
        svg.text(subtitle, x: 24, y: 58, size: 13, fill: "#475569")
        var x = 24.0
        let y = 84.0
        let boxes = [
            ("calls answered", Self.calls), ("calls sent again elsewhere", Self.resent),
            ("calls lost", Self.lost), ("registry down", "#d5dae1"),
        ]
        for (name, colour) in boxes {
            svg.rectangle(x: x, y: y - 9, width: 14, height: 10, fill: colour, radius: 2)
            svg.text(name, x: x + 20, y: y)
            x += 46 + Double(name.count) * 6.6
        }
        let marks: [(String, Plan.Kind)] = [
            ("killed", .kill), ("asked to end", .end), ("started again", .start),
        ]
        for (name, kind) in marks {
            Self.mark(kind, &svg, x + 7, y - 4)
            svg.text(name, x: x + 20, y: y)
            x += 46 + Double(name.count) * 6.6
        }
    }

    private mutating func drawTime() {
        let step = seconds > 60 ? 10.0 : seconds > 25 ? 5.0 : 2.0
        var time = 0.0
        while time <= seconds {
            svg.line(
                from: (x(time), Self.top),
                to: (x(time), bottom),
                stroke: Self.grid
            )
            svg.text(
                "\(Int(time)) s",
                x: x(time),
                y: bottom + 20,
                size: 11,
                fill: Self.faint,
                anchor: "middle"
            )
            time += step
        }
    }

    /// Bands over the whole height while the registry is away.
    private mutating func drawRegistry() {
        var since: Double?
        for event in record.events {
            switch event.kind {
            case .registryKill: since = event.time
            case .registryStart:
                if let from = since { band(from, event.time) }
                since = nil
            default: break
            }
        }
        if let since { band(since, seconds) }
    }

    private mutating func band(_ from: Double, _ to: Double) {
        svg.rectangle(
            x: x(from),
            y: Self.top,
            width: x(to) - x(from),
            height: bottom - Self.top,
            fill: Self.registry,
            opacity: 0.18
        )
    }

    private mutating func drawTotal() {
        let answered = (0..<record.columns).map { column in
            Double(record.calls.reduce(0) { $0 + $1[column].answered }) / Record.step
        }
        let failed = (0..<record.columns).map { column in
            Double(record.calls.reduce(0) { $0 + $1[column].failed }) / Record.step
        }
        let lost = record.lost.map { Double($0) / Record.step }
        // The last column is only partly filled, and single columns jump with the readings.
        let peak = Self.smooth(answered).dropLast().max() ?? 1
        let top = max(10, (peak * 1.2 / 50).rounded(.up) * 50)
        let base = Self.top + Self.totalHeight
        for value in [top / 2, top] {
            let y = base - value / top * Self.totalHeight
            svg.line(from: (Self.left, y), to: (Self.width - Self.right, y), stroke: Self.grid)
            svg.text(
                "\(Int(value)) /s",
                x: Self.left - 8,
                y: y + 4,
                size: 11,
                fill: Self.faint,
                anchor: "end"
            )
        }
        svg.text("all", x: 24, y: base - 4, size: 12, fill: Self.ink, bold: true)
        area(Self.smooth(answered), top, base, Self.totalHeight, Self.calls, Self.callsFill)
        area(Self.smooth(failed), top, base, Self.totalHeight, Self.resent, Self.resentFill)
        area(lost, top, base, Self.totalHeight, Self.lost, Self.lost)
    }

    private mutating func drawRows() {
        let rates = record.calls.map { row in
            Self.smooth(row.map { Double($0.answered) / Record.step })
        }
        let highest = rates.joined().max() ?? 1
        for (instance, rate) in rates.enumerated() {
            let base = rowTop(instance) + Self.rowHeight
            svg.line(
                from: (Self.left, base),
                to: (Self.width - Self.right, base),
                stroke: Self.grid
            )
            svg.text("instance \(instance + 1)", x: 24, y: base - 6, size: 11)
            area(rate, highest, base, Self.rowHeight - 5, Self.calls, Self.callsFill)
            let failed = record.calls[instance].map { Double($0.failed) / Record.step }
            area(failed, highest, base, Self.rowHeight - 5, Self.resent, Self.resentFill)
        }
    }

    private mutating func drawEvents() {
        for event in record.events where event.instance > 0 {
            let y = rowTop(event.instance - 1) + Self.rowHeight - 7
            Self.mark(event.kind, &svg, x(event.time), y)
        }
    }

    /// A line with the area below it, drawn at the middle of each column.
    private mutating func area(
        _ values: [Double],
        _ top: Double,
        _ base: Double,
        _ height: Double,
        _ stroke: String,
        _ fill: String
    ) {
        // Only where there is something: a hill at a time, from its foot to its foot.
        var hill: [(Double, Double)] = []
        for column in 0..<values.count {
            let value = column < values.count - 1 ? values[column] : 0
            let point = (
                x((Double(column) + 0.5) * Record.step), base - min(1, value / top) * height
            )
            if value > 0 {
                if hill.isEmpty { hill = [(max(Self.left, x(Double(column) * Record.step)), base)] }
                hill.append(point)
            } else if !hill.isEmpty {
                hill.append((x(Double(column) * Record.step), base))
                svg.path(hill, fill: fill, stroke: stroke, width: 1.4, closed: true)
                hill = []
            }
        }
    }

    /// Each value with its neighbours: readings of two processes never fall together exactly.
    private static func smooth(_ values: [Double]) -> [Double] {
        values.indices.map { index in
            let near = values[max(0, index - 1)...min(values.count - 1, index + 1)]
            return near.reduce(0, +) / Double(near.count)
        }
    }

    private static func mark(_ kind: Plan.Kind, _ svg: inout SVG, _ x: Double, _ y: Double) {
        switch kind {
        case .kill:
            svg.line(from: (x - 4, y - 4), to: (x + 4, y + 4), stroke: kill, width: 2.2)
            svg.line(from: (x - 4, y + 4), to: (x + 4, y - 4), stroke: kill, width: 2.2)
        case .end:
            svg.path([(x - 5, y - 4), (x + 5, y - 4), (x, y + 5)], fill: end, closed: true)
        case .start:
            svg.path([(x - 5, y + 4), (x + 5, y + 4), (x, y - 5)], fill: start, closed: true)
        case .registryKill, .registryStart: break
        }
    }
}
