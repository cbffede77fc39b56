/// A duration as Consul writes it in JSON and in query parameters: `"1h2m3.5s"`, `"10ms"`.
///
/// Replies also give some durations as a number of nanoseconds; both are read.
struct GoDuration: Codable, Hashable, Sendable {
    var duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let nanoseconds = try? container.decode(Int64.self) {
            // Not a string: the number form. A failure here leads to the string form below.
            duration = .nanoseconds(nanoseconds)
            return
        }
        let text = try container.decode(String.self)
        guard let parsed = Self.parse(text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "\"\(text)\" is not a duration"
            )
        }
        duration = parsed
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Self.format(duration))
    }

    /// Reads Go's notation.
    ///
    /// An empty text is zero; nil when `text` is not a duration.
    static func parse(_ text: String) -> Duration? {
        var rest = text[...]
        if rest.isEmpty || rest == "0" { return .zero }
        let negative = rest.first == "-"
        if negative || rest.first == "+" { rest = rest.dropFirst() }
        guard !rest.isEmpty else { return nil }
        var total = Duration.zero
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
            rest = rest.dropFirst(unit.count)
            guard let value = Double(number), let seconds = units[String(unit)],
                value * seconds < 9e9
            else { return nil }
            total += .nanoseconds(Int64((value * seconds * 1e9).rounded()))
        }
        return negative ? .zero - total : total
    }

    /// Writes whole seconds as `10s`, whole milliseconds as `1500ms`, else nanoseconds.
    static func format(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        if attoseconds == 0 { return "\(seconds)s" }
        let nanoseconds = attoseconds / 1_000_000_000
        if nanoseconds % 1_000_000 == 0 { return "\(seconds * 1000 + nanoseconds / 1_000_000)ms" }
        return "\(seconds * 1_000_000_000 + nanoseconds)ns"
    }

    private static let units: [String: Double] = [
        "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600,
    ]
}

extension Duration {
    /// Whole milliseconds, at least 1 when the duration is positive.
    ///
    /// A wait of 0 would mean the registry's default, so a shorter one must not be cut to it.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return seconds < 0 ? 0 : .max }
        let whole = product &+ attoseconds / 1_000_000_000_000_000
        return whole == 0 && self > .zero ? 1 : max(0, whole)
    }
}
