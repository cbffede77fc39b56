/// Writes an SVG document, element by element.
struct SVG {
    let width: Double
    let height: Double
    private var body = ""

    init(width: Double, height: Double) {
        self.width = width
        self.height = height
    }

    mutating func rectangle(
        x: Double,
        y: Double,
        width: Double,
        height: Double,
        fill: String,
        opacity: Double = 1,
        radius: Double = 0
    ) {
        add(
            "rect",
            [
                ("x", number(x)), ("y", number(y)), ("width", number(width)),
                ("height", number(height)), ("fill", fill), ("fill-opacity", number(opacity)),
                ("rx", number(radius)),
            ]
        )
    }

    mutating func line(
        from: (Double, Double),
        to: (Double, Double),
        stroke: String,
        width: Double = 1,
        dash: String? = nil
    ) {
        var attributes = [
            ("x1", number(from.0)), ("y1", number(from.1)), ("x2", number(to.0)),
            ("y2", number(to.1)), ("stroke", stroke), ("stroke-width", number(width)),
        ]
        if let dash { attributes.append(("stroke-dasharray", dash)) }
        add("line", attributes)
    }

    /// A filled shape, or a line when it has no fill.
    mutating func path(
        _ points: [(Double, Double)],
        fill: String = "none",
        stroke: String = "none",
        width: Double = 1,
        closed: Bool = false
    ) {
        let steps = points.enumerated().map { index, point in
            "\(index == 0 ? "M" : "L")\(number(point.0)) \(number(point.1))"
        }
        add(
            "path",
            [
                ("d", steps.joined(separator: " ") + (closed ? " Z" : "")), ("fill", fill),
                ("stroke", stroke), ("stroke-width", number(width)), ("stroke-linejoin", "round"),
            ]
        )
    }

    mutating func text(
        _ text: String,
        x: Double,
        y: Double,
        size: Double = 12,
        fill: String = "#334155",
        anchor: String = "start",
        bold: Bool = false
    ) {
        let attributes = [
            ("x", number(x)), ("y", number(y)), ("font-size", number(size)), ("fill", fill),
            ("text-anchor", anchor), ("font-weight", bold ? "600" : "400"),
        ]
        body += "<text" + Self.list(attributes) + ">" + Self.escape(text) + "</text>\n"
    }

    /// The document.
    var document: String {
        let size = "\(number(width)) \(number(height))"
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(number(width))" \
            height="\(number(height))" viewBox="0 0 \(size)" \
            font-family="Inter, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif">
            \(body)</svg>

            """
    }

    private mutating func add(_ element: String, _ attributes: [(String, String)]) {
        body += "<" + element + Self.list(attributes) + "/>\n"
    }

    private static func list(_ attributes: [(String, String)]) -> String {
        attributes.map { " \($0.0)=\"\(escape($0.1))\"" }.joined()
    }

    private func number(_ value: Double) -> String {
        let tenths = (value * 10).rounded() / 10
        return tenths == tenths.rounded() ? "\(Int(tenths))" : "\(tenths)"
    }

    private static func escape(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
