/// Texts in quotes as Go's `strconv.Quote` and `%q` print them.
package enum GoQuote {
    /// `text` between double quotes, with Go's escapes.
    ///
    /// - Source: Go: strconv.Quote. Deviation: "printable" is every scalar that is neither a
    ///   control, a format character, a private use, a separator other than the space nor
    ///   unassigned.
    package static func quote(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            append(scalar, to: &result, quoteMark: "\"")
        }
        return result + "\""
    }

    /// One byte between single quotes, as `encoding/json` names an unexpected character.
    package static func quote(character byte: UInt8) -> String {
        var result = "'"
        append(Unicode.Scalar(byte), to: &result, quoteMark: "'")
        return result + "'"
    }

    private static func append(
        _ scalar: Unicode.Scalar,
        to result: inout String,
        quoteMark: Unicode.Scalar
    ) {
        switch scalar {
        case quoteMark, "\\":
            result += "\\"
            result.unicodeScalars.append(scalar)
        case "\u{07}": result += "\\a"
        case "\u{08}": result += "\\b"
        case "\u{0C}": result += "\\f"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\u{0B}": result += "\\v"
        default:
            if isPrintable(scalar) {
                result.unicodeScalars.append(scalar)
            } else if scalar.value < 0x80 {
                result += "\\x" + hexadecimal(scalar.value, digits: 2)
            } else if scalar.value < 0x10000 {
                result += "\\u" + hexadecimal(scalar.value, digits: 4)
            } else {
                result += "\\U" + hexadecimal(scalar.value, digits: 8)
            }
        }
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value < 0x7F }
        switch scalar.properties.generalCategory {
        case .control, .format, .privateUse, .surrogate, .unassigned, .lineSeparator,
            .paragraphSeparator, .spaceSeparator:
            return false
        default:
            return true
        }
    }

    private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
