package import Model

/// Durations as Go's `time` package reads and prints them.
package enum GoDuration {
    /// How many nanoseconds the unit has that is called `name`; nil for no unit.
    private static func nanoseconds(of name: ArraySlice<UInt8>) -> UInt64? {
        let letters = name.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        switch letters {
        case 0x6E73: return 1  // ns
        case 0x7573, 0xC2B573, 0xCEBC73: return 1_000  // us, and both letters for micro
        case 0x6D73: return 1_000_000  // ms
        case 0x73: return 1_000_000_000  // s
        case 0x6D: return 60_000_000_000  // m
        case 0x68: return 3_600_000_000_000  // h
        default: return nil
        }
    }

    /// The duration that `text` (`1h2m3.5s`, `-300ms`, `0`) names, or nil.
    package static func parse(_ text: String) -> Nanoseconds? {
        try? parseOrThrow(text)  // The error's text is for `parseOrThrow`'s own callers.
    }

    /// Like `parse`; the error has Go's words.
    ///
    /// - Source: Go: time.ParseDuration.
    package static func parseOrThrow(_ text: String) throws(WireError) -> Nanoseconds {
        let all = Array(text.utf8)
        var rest = all[...]
        var isNegative = false
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            rest.removeFirst()
        }
        if rest.elementsEqual([UInt8(ascii: "0")]) { return .zero }
        guard !rest.isEmpty else { throw invalid(text) }
        var total: UInt64 = 0
        while !rest.isEmpty {
            let (sum, overflow) = total.addingReportingOverflow(try component(&rest, of: text))
            guard !overflow, sum <= UInt64(Int64.max) else { throw invalid(text) }
            total = sum
        }
        return Nanoseconds(rawValue: isNegative ? -Int64(total) : Int64(total))
    }

    /// One number with its unit, in nanoseconds.
    private static func component(
        _ rest: inout ArraySlice<UInt8>,
        of text: String
    ) throws(WireError) -> UInt64 {
        let whole = rest.prefix(while: isDigit)
        rest = rest[whole.endIndex...]
        var fraction: ArraySlice<UInt8> = []
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            fraction = rest.prefix(while: isDigit)
            rest = rest[(rest.startIndex + fraction.count)...]
        }
        guard !whole.isEmpty || !fraction.isEmpty else { throw invalid(text) }
        let name = rest.prefix { $0 != UInt8(ascii: ".") && !isDigit($0) }
        rest = rest[(rest.startIndex + name.count)...]
        guard !name.isEmpty else {
            throw WireError(.value, "time: missing unit in duration \(GoQuote.quote(text))")
        }
        guard name.count <= 3, name.first != 0, let unit = nanoseconds(of: name) else {
            let quoted = GoQuote.quote(String(decoding: name, as: UTF8.self))
            throw WireError(
                .value,
                "time: unknown unit \(quoted) in duration \(GoQuote.quote(text))"
            )
        }
        guard let count = number(whole) else { throw invalid(text) }
        let (scaled, overflow) = count.multipliedReportingOverflow(by: unit)
        let (sum, tooLarge) = scaled.addingReportingOverflow(scale(fraction, by: unit))
        guard !overflow, !tooLarge, sum <= UInt64(Int64.max) else { throw invalid(text) }
        return sum
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, tooLarge) = scaled.addingReportingOverflow(UInt64(digit - 48))
            guard !overflow, !tooLarge else { return nil }
            value = sum
        }
        return value
    }

    /// `0.digits × unit`, rounded towards zero; digits beyond the 18th cannot matter.
    private static func scale(_ digits: ArraySlice<UInt8>, by unit: UInt64) -> UInt64 {
        var value: UInt64 = 0
        var divisor: UInt64 = 1
        for digit in digits.prefix(18) {
            value = value * 10 + UInt64(digit - 48)
            divisor *= 10
        }
        return divisor.dividingFullWidth(value.multipliedFullWidth(by: unit)).quotient
    }

    private static func invalid(_ text: String) -> WireError {
        WireError(.value, "time: invalid duration \(GoQuote.quote(text))")
    }

    /// The text of a duration: `1h30m0s`, `1.5s`, `200ms`, `0s`.
    ///
    /// - Source: Go: time.Duration.String.
    package static func format(_ duration: Nanoseconds) -> String {
        let sign = duration.rawValue < 0 ? "-" : ""
        let total = duration.rawValue.magnitude
        if total == 0 { return "0s" }
        if total < 1_000 { return "\(sign)\(total)ns" }
        if total < 1_000_000 { return sign + decimal(total, per: 1_000) + "\u{B5}s" }
        if total < 1_000_000_000 { return sign + decimal(total, per: 1_000_000) + "ms" }
        let minutes = total / 60_000_000_000
        let seconds = decimal(total % 60_000_000_000, per: 1_000_000_000) + "s"
        if minutes == 0 { return sign + seconds }
        if minutes < 60 { return "\(sign)\(minutes)m\(seconds)" }
        return "\(sign)\(minutes / 60)h\(minutes % 60)m\(seconds)"
    }

    /// `value / unit` without trailing zeros; `unit` is a power of ten.
    private static func decimal(_ value: UInt64, per unit: UInt64) -> String {
        let whole = String(value / unit)
        guard value % unit > 0 else { return whole }
        var digits = Array(String(unit + value % unit).utf8.dropFirst())
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return whole + "." + String(decoding: digits, as: UTF8.self)
    }
}
