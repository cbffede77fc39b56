/// A string as it stands in a text, between its quotes.
struct JSONText {
    let range: Range<Int>

    /// Whether there are backslashes in it.
    let isEscaped: Bool
}

extension JSONScanner {
    /// Takes a string; its escapes and its UTF-8 are checked.
    @inline(__always)
    mutating func text() throws(JSONFault) -> JSONText {
        guard try token() == UInt8(ascii: "\"") else { throw fault("a string was expected") }
        let start = position + 1
        var index = start
        var isEscaped = false
        var isASCII = true
        while true {
            while let word = word(at: index) {
                let special = Self.special(word)
                guard special == 0 else {
                    index += special.trailingZeroBitCount >> 3
                    break
                }
                index += 8
            }
            guard index < count else { throw JSONFault("a string has no end", at: start - 1) }
            switch byte(at: index) {
            case UInt8(ascii: "\""):
                if !isASCII { try checkUTF8(start..<index) }
                move(to: index + 1)
                return JSONText(range: start..<index, isEscaped: isEscaped)
            case UInt8(ascii: "\\"):
                isEscaped = true
                index = try checkEscape(at: index)
            case 0..<0x20: throw JSONFault("a control character stands in a string", at: index)
            case 0x80...:
                isASCII = false
                index += 1
            default: index += 1
            }
        }
    }

    /// The high bit of each byte that is a quote, a backslash, a control character or not ASCII.
    ///
    /// Exact for the lowest such byte; a borrow may mark bytes above it.
    @inline(__always)
    private static func special(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = (word ^ (ones &* 0x22)) &- ones
        let backslashes = (word ^ (ones &* 0x5C)) &- ones
        let controls = word &- (ones &* 0x20)
        return (word | quotes | backslashes | controls) & (ones &* 0x80)
    }

    private func checkUTF8(_ range: Range<Int>) throws(JSONFault) {
        guard String(validating: bytes(range), as: UTF8.self) != nil else {
            throw JSONFault("a string is not UTF-8", at: range.lowerBound)
        }
    }

    /// Where the text goes on behind the escape at `index`.
    private func checkEscape(at index: Int) throws(JSONFault) -> Int {
        guard index + 1 < count else { throw JSONFault("a string has no end", at: index) }
        switch byte(at: index + 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return index + 2
        case UInt8(ascii: "u") where codeUnit(at: index) != nil: return index + 6
        default: throw JSONFault("there is no such escape", at: index)
        }
    }

    /// The UTF-16 code unit of the escape at `index`, nil when it is none.
    private func codeUnit(at index: Int) -> UInt16? {
        guard index + 6 <= count, byte(at: index) == UInt8(ascii: "\\"),
            byte(at: index + 1) == UInt8(ascii: "u")
        else { return nil }
        var unit: UInt16 = 0
        for offset in 2..<6 {
            let digit: UInt8
            switch byte(at: index + offset) {
            case let byte where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte):
                digit = byte - UInt8(ascii: "0")
            case let byte where (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte):
                digit = byte - UInt8(ascii: "a") + 10
            case let byte where (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte):
                digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// The string that a text stands for.
    @inline(__always)
    func string(_ text: JSONText) -> String {
        text.isEscaped
            ? unescaped(text.range) : String(decoding: bytes(text.range), as: UTF8.self)
    }

    /// Reads the escapes, which have been checked.
    ///
    /// Half a surrogate pair is legal in JSON and stands for no character: it becomes U+FFFD.
    /// - Source: RFC 8259 §8.2; Go encoding/json, Unmarshal.
    private func unescaped(_ range: Range<Int>) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = byte(at: index)
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                index += 1
                continue
            }
            guard let unit = codeUnit(at: index) else {
                result.append(Self.meaning(ofEscape: self.byte(at: index + 1)))
                index += 2
                continue
            }
            index += 6
            var scalar = Unicode.Scalar(unit) ?? "\u{FFFD}"
            if UTF16.isLeadSurrogate(unit), let trail = codeUnit(at: index),
                UTF16.isTrailSurrogate(trail)
            {
                let value = 0x10000 + (UInt32(unit & 0x3FF) << 10 | UInt32(trail & 0x3FF))
                scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
                index += 6
            }
            result.append(contentsOf: String(scalar).utf8)
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The byte that a short escape stands for.
    private static func meaning(ofEscape letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: letter
        }
    }

    /// Whether a text says exactly `word`.
    @inline(__always)
    func matches(_ text: JSONText, _ word: StaticString) -> Bool {
        guard !text.isEscaped else { return unescaped(text.range) == word.description }
        let length = word.utf8CodeUnitCount
        guard text.range.count == length else { return false }
        let bytes = bytes(text.range)
        for offset in 0..<length where bytes[offset] != word.utf8Start[offset] { return false }
        return true
    }
}
