/// Numbers as Go's `encoding/json` prints them.
package enum GoFloat {
    /// The shortest text that reads back as the same number; exponents below 1e-6 and from 1e21 on.
    ///
    /// Infinities and NaN have no JSON form and become `0`.
    /// - Source: Go: encoding/json floatEncoder; ES6 number to string.
    package static func format(_ value: Double) -> String {
        guard value.isFinite else { return "0" }
        let magnitude = value.magnitude
        if magnitude < 9_007_199_254_740_992, let whole = Int64(exactly: value) {
            return value.sign == .minus && whole == 0 ? "-0" : String(whole)
        }
        let (digits, exponent) = shortestDigits(magnitude)
        let sign = value < 0 ? "-" : ""
        if magnitude < 1e-6 || magnitude >= 1e21 {
            return sign + scientific(digits, exponent)
        }
        return sign + plain(digits, exponent)
    }

    /// The significant digits, and the power of ten of the first of them.
    private static func shortestDigits(_ magnitude: Double) -> ([UInt8], Int) {
        var digits: [UInt8] = []
        var exponent = 0
        var point: Int?
        var text = Array(magnitude.description.utf8)
        if let mark = text.firstIndex(of: UInt8(ascii: "e")) {
            exponent = Int(String(decoding: text[(mark + 1)...], as: UTF8.self)) ?? 0
            text.removeSubrange(mark...)
        }
        for byte in text {
            if byte == UInt8(ascii: ".") { point = digits.count } else { digits.append(byte) }
        }
        exponent += (point ?? digits.count) - 1
        let zeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
        digits.removeFirst(min(zeros, digits.count - 1))
        exponent -= zeros
        while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return (digits, exponent)
    }

    private static func scientific(_ digits: [UInt8], _ exponent: Int) -> String {
        var text = [digits[0]]
        if digits.count > 1 {
            text.append(UInt8(ascii: "."))
            text += digits[1...]
        }
        // Go writes at least two digits, then encoding/json turns e-09 into e-9 (not e+09).
        let power = String(exponent.magnitude)
        let pad = exponent > 0 && power.utf8.count < 2 ? "0" : ""
        return String(decoding: text, as: UTF8.self) + (exponent < 0 ? "e-" : "e+") + pad + power
    }

    private static func plain(_ digits: [UInt8], _ exponent: Int) -> String {
        let zero = UInt8(ascii: "0")
        var text: [UInt8] = []
        if exponent < 0 {
            text = [zero, UInt8(ascii: ".")]
            text += [UInt8](repeating: zero, count: -exponent - 1)
            text += digits
        } else {
            text += digits.prefix(exponent + 1)
            text += [UInt8](repeating: zero, count: max(0, exponent + 1 - digits.count))
            if digits.count > exponent + 1 {
                text.append(UInt8(ascii: "."))
                text += digits[(exponent + 1)...]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
