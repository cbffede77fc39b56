// What a member holds. Missing members keep their default because nobody reads them; `null` gives
// the default, because Consul's servers write empty lists and maps so.
extension JSONScanner {
    /// Takes a string; nil for `null`.
    @inline(__always)
    mutating func optionalString() throws(JSONFault) -> String? {
        if try takeNull() { return nil }
        return string(try text())
    }

    /// Takes `true` or `false`; nil for `null`.
    mutating func optionalBool() throws(JSONFault) -> Bool? {
        switch try token() {
        case UInt8(ascii: "t"):
            try literal("true")
            return true
        case UInt8(ascii: "f"):
            try literal("false")
            return false
        case UInt8(ascii: "n"):
            try literal("null")
            return nil
        default: throw fault("true or false was expected")
        }
    }

    /// Takes a whole number that fits; nil for `null`.
    ///
    /// A fraction or an exponent is fine as long as the value is whole: 1.0, 1e3.
    @inline(__always)
    mutating func optionalInteger<Value: FixedWidthInteger>(
        _ type: Value.Type
    ) throws(JSONFault) -> Value? {
        if try takeNull() { return nil }
        let start = position
        let number = try number()
        guard let value = integer(type, number) else {
            throw JSONFault("a number is not whole or does not fit", at: start)
        }
        return value
    }

    /// Takes a list of strings; empty for `null`.
    mutating func strings() throws(JSONFault) -> [String] {
        if try takeNull() { return [] }
        try openArray()
        var result: [String] = []
        var isFirst = true
        while try nextElement(&isFirst) { result.append(string(try text())) }
        return result
    }

    /// Takes an object of strings; empty for `null`.
    mutating func stringMap() throws(JSONFault) -> [String: String] {
        if try takeNull() { return [:] }
        try openObject()
        var result: [String: String] = [:]
        var isFirst = true
        while let key = try nextKey(&isFirst) { result[string(key)] = string(try text()) }
        return result
    }

    /// Takes any value; nil for `null`.
    mutating func optionalValue() throws(JSONFault) -> JSONValue? {
        if try takeNull() { return nil }
        return try value()
    }

    private mutating func value() throws(JSONFault) -> JSONValue {
        switch try token() {
        case UInt8(ascii: "\""): return .string(string(try text()))
        case UInt8(ascii: "{"):
            try openObject()
            var members: [String: JSONValue] = [:]
            var isFirst = true
            while let key = try nextKey(&isFirst) { members[string(key)] = try value() }
            return .object(members)
        case UInt8(ascii: "["):
            try openArray()
            var elements: [JSONValue] = []
            var isFirst = true
            while try nextElement(&isFirst) { elements.append(try value()) }
            return .array(elements)
        case UInt8(ascii: "t"), UInt8(ascii: "f"):
            return .bool(try optionalBool() ?? false)
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        default:
            let start = position
            let number = try number()
            if let integer = integer(Int64.self, number) { return .integer(integer) }
            guard let double = double(number), double.isFinite else {
                throw JSONFault("a number does not fit", at: start)
            }
            return .number(double)
        }
    }

    // MARK: Numbers

    /// A number as it stands in a text.
    struct Number {
        let range: Range<Int>
        /// Whether it has neither a fraction nor an exponent.
        let isPlain: Bool
    }

    /// Takes a number.
    mutating func number() throws(JSONFault) -> Number {
        _ = try token()
        let start = position
        var index = position
        if byte(at: index) == UInt8(ascii: "-") { index += 1 }
        let digits = self.digits(from: index)
        guard digits > index else { throw fault("no JSON value begins here") }
        if byte(at: index) == UInt8(ascii: "0"), digits > index + 1 {
            throw fault("a number begins with a needless 0")
        }
        index = digits
        var isPlain = true
        if index < count, byte(at: index) == UInt8(ascii: ".") {
            isPlain = false
            let end = self.digits(from: index + 1)
            guard end > index + 1 else { throw fault("a number ends too early") }
            index = end
        }
        if index < count, byte(at: index) | 0x20 == UInt8(ascii: "e") {
            isPlain = false
            index += 1
            if index < count,
                byte(at: index) == UInt8(ascii: "+") || byte(at: index) == UInt8(ascii: "-")
            {
                index += 1
            }
            let end = self.digits(from: index)
            guard end > index else { throw fault("a number ends too early") }
            index = end
        }
        move(to: index)
        return Number(range: start..<index, isPlain: isPlain)
    }

    /// Where the digits end that begin at `index`.
    @inline(__always)
    private func digits(from index: Int) -> Int {
        var index = index
        while index < count, byte(at: index) &- UInt8(ascii: "0") < 10 { index += 1 }
        return index
    }

    /// The number as a whole one, nil when it is not or does not fit.
    @inline(__always)
    private func integer<Value: FixedWidthInteger>(_ type: Value.Type, _ number: Number) -> Value? {
        guard number.isPlain else { return double(number).flatMap { Value(exactly: $0) } }
        var index = number.range.lowerBound
        let isNegative = byte(at: index) == UInt8(ascii: "-")
        if isNegative { index += 1 }
        var value: Value = 0
        while index < number.range.upperBound {
            let digit = Value(truncatingIfNeeded: byte(at: index) - UInt8(ascii: "0"))
            let (tens, overflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowsToo) =
                isNegative
                ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
            if overflows || overflowsToo { return nil }
            value = sum
            index += 1
        }
        return value
    }

    private func double(_ number: Number) -> Double? {
        Double(String(decoding: bytes(number.range), as: UTF8.self))
    }
}
