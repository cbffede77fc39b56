/// Why a text is not a number, in Go's words.
enum NumberError: String, Error {
    case syntax = "invalid syntax"
    case range = "value out of range"
}

/// Reads a signed integer with an optional base prefix and underscores between digits.
///
/// - Source: Go strconv.ParseInt with base 0 and 64 bits.
func parseInteger(_ text: String) throws(NumberError) -> Int64 {
    var digits = Array(text.utf8)[...]
    var isNegative = false
    if let sign = digits.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
        isNegative = sign == UInt8(ascii: "-")
        digits = digits.dropFirst()
    }
    guard !digits.isEmpty else { throw .syntax }
    var radix: UInt64 = 10
    var mayStartWithUnderscore = false
    if digits.first == UInt8(ascii: "0"), digits.count > 1 {
        mayStartWithUnderscore = true
        switch digits[digits.startIndex + 1] | 0x20 {
        case UInt8(ascii: "x") where digits.count > 2: radix = 16
        case UInt8(ascii: "b") where digits.count > 2: radix = 2
        case UInt8(ascii: "o") where digits.count > 2: radix = 8
        default: radix = 8
        }
        let hasPrefixLetter = digits[digits.startIndex + 1].isLetter && digits.count > 2
        digits = digits.dropFirst(hasPrefixLetter ? 2 : 1)
    }
    let magnitude = try parseMagnitude(digits, radix, mayStartWithUnderscore)
    if isNegative {
        guard magnitude <= UInt64(Int64.max) + 1 else { throw .range }
        return Int64(truncatingIfNeeded: 0 &- magnitude)
    }
    guard let value = Int64(exactly: magnitude) else { throw .range }
    return value
}

private func parseMagnitude(
    _ digits: ArraySlice<UInt8>,
    _ radix: UInt64,
    _ mayStartWithUnderscore: Bool
) throws(NumberError) -> UInt64 {
    var value: UInt64 = 0
    var isTooLarge = false
    var mayBeUnderscore = mayStartWithUnderscore
    for byte in digits {
        if byte == UInt8(ascii: "_") {
            guard mayBeUnderscore else { throw .syntax }
            mayBeUnderscore = false
            continue
        }
        guard let digit = digitValue(byte), digit < radix else { throw .syntax }
        mayBeUnderscore = true
        let (product, overflow) = value.multipliedReportingOverflow(by: radix)
        let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
        isTooLarge = isTooLarge || overflow || carry
        value = sum
    }
    guard digits.last != UInt8(ascii: "_") else { throw .syntax }
    if isTooLarge { throw .range }
    return value
}

/// Reads a truth value.
///
/// - Source: Go strconv.ParseBool.
func parseBool(_ text: String) -> Bool? {
    switch text {
    case "1", "t", "T", "true", "TRUE", "True": true
    case "0", "f", "F", "false", "FALSE", "False": false
    default: nil
    }
}
