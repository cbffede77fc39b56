/// The text as a Go string literal, which is how Consul's errors quote what they were given.
///
/// - Source: Go strconv.Quote.
func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
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
            } else if scalar.value < 0x20 || scalar.value == 0x7F {
                result += "\\x" + padded(scalar.value, to: 2)
            } else if scalar.value < 0x10000 {
                result += "\\u" + padded(scalar.value, to: 4)
            } else {
                result += "\\U" + padded(scalar.value, to: 8)
            }
        }
    }
    return result + "\""
}

private func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
        .paragraphSeparator:
        false
    case .spaceSeparator: scalar == " "
    default: true
    }
}

private func padded(_ value: UInt32, to width: Int) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

/// The text of a quoted literal, or nil when an escape or a line break in it is not allowed.
///
/// - Source: Go strconv.Unquote.
func unquoted(_ literal: ArraySlice<UInt8>) -> String? {
    guard literal.count >= 2, let quote = literal.first, quote == literal.last else { return nil }
    let body = literal.dropFirst().dropLast()
    if quote == UInt8(ascii: "`") {
        // A raw string keeps everything but carriage returns.
        return String(decoding: body.filter { $0 != 0x0D }, as: UTF8.self)
    }
    var result: [UInt8] = []
    result.reserveCapacity(body.count)
    var rest = body
    while let byte = rest.popFirst() {
        guard byte != 0x0A else { return nil }
        guard byte == UInt8(ascii: "\\") else {
            result.append(byte)
            continue
        }
        guard let escaped = rest.popFirst(), unescape(escaped, &rest, into: &result) else {
            return nil
        }
    }
    return String(decoding: result, as: UTF8.self)
}

private func unescape(
    _ escaped: UInt8,
    _ rest: inout ArraySlice<UInt8>,
    into result: inout [UInt8]
) -> Bool {
    switch Unicode.Scalar(escaped) {
    case "a": result.append(0x07)
    case "b": result.append(0x08)
    case "f": result.append(0x0C)
    case "n": result.append(0x0A)
    case "r": result.append(0x0D)
    case "t": result.append(0x09)
    case "v": result.append(0x0B)
    case "\\", "\"": result.append(escaped)
    case "x":
        guard let value = digits(2, radix: 16, from: &rest) else { return false }
        result.append(UInt8(truncatingIfNeeded: value))
    case "0"..."7":
        guard let low = digits(2, radix: 8, from: &rest), let high = digitValue(escaped),
            high < 4
        else { return false }
        result.append(UInt8(truncatingIfNeeded: high * 64 + low))
    case "u", "U":
        guard let value = digits(escaped == UInt8(ascii: "u") ? 4 : 8, radix: 16, from: &rest),
            let scalar = Unicode.Scalar(value)
        else { return false }
        result.append(contentsOf: Array(String(Character(scalar)).utf8))
    default: return false
    }
    return true
}

private func digits(_ count: Int, radix: UInt32, from rest: inout ArraySlice<UInt8>) -> UInt32? {
    guard rest.count >= count else { return nil }
    var value: UInt32 = 0
    for byte in rest.prefix(count) {
        guard let digit = digitValue(byte), digit < radix else { return nil }
        value = value &* radix &+ digit
    }
    rest = rest.dropFirst(count)
    return value
}

/// The value of a digit in a radix of up to 16, or nil for any other byte.
func digitValue(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x30...0x39: UInt32(byte) - 0x30
    case 0x41...0x46: UInt32(byte) - 0x41 + 10
    case 0x61...0x66: UInt32(byte) - 0x61 + 10
    default: nil
    }
}
