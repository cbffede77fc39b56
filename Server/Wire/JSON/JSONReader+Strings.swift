extension JSONReader {
    /// Reads the rest of a string that has escapes or bytes beyond ASCII, as valid UTF-8.
    ///
    /// Invalid UTF-8 and lone surrogates become U+FFFD, one for each byte or escape, as in Go.
    mutating func stringBytes(from start: Int) throws(WireError) -> [UInt8] {
        var output: [UInt8] = []
        position = start
        while true {
            let stop = JSONScan.firstSpecial(base, from: position, to: end)
            output.append(
                contentsOf: UnsafeBufferPointer(start: base + position, count: stop - position)
            )
            position = stop
            guard position < end else { throw endOfInput() }
            switch base[position] {
            case UInt8(ascii: "\""):
                position += 1
                return output
            case UInt8(ascii: "\\"):
                position += 1
                try escape(into: &output)
            case 0..<0x20:
                throw unexpected("in string literal")
            default:
                copyScalar(into: &output)
            }
        }
    }

    private mutating func escape(into output: inout [UInt8]) throws(WireError) {
        guard position < end else { throw endOfInput() }
        let byte = base[position]
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(byte)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "u"):
            position += 1
            return append(try escapedScalar(), to: &output)
        default: throw unexpected("in string escape code")
        }
        position += 1
    }

    /// The scalar of `\uXXXX`, joined with the low surrogate that follows a high one.
    private mutating func escapedScalar() throws(WireError) -> UInt32 {
        let first = try hexadecimal()
        guard (0xD800..<0xE000).contains(first) else { return first }
        guard first < 0xDC00, position + 6 <= end, base[position] == UInt8(ascii: "\\"),
            base[position + 1] == UInt8(ascii: "u")
        else { return 0xFFFD }
        let mark = position
        position += 2
        let second = try hexadecimal()
        guard (0xDC00..<0xE000).contains(second) else {
            position = mark
            return 0xFFFD
        }
        return 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
    }

    private mutating func hexadecimal() throws(WireError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < end else { throw endOfInput() }
            let byte = base[position]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                value = value << 4 | UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
                value = value << 4 | UInt32((byte | 0x20) - UInt8(ascii: "a") + 10)
            default:
                throw unexpected("in \\u hexadecimal character escape")
            }
            position += 1
        }
        return value
    }

    private func append(_ scalar: UInt32, to output: inout [UInt8]) {
        let character = Unicode.Scalar(scalar) ?? "\u{FFFD}"
        output.append(contentsOf: UTF8.encode(character).map(Array.init) ?? [0xEF, 0xBF, 0xBD])
    }

    /// Copies one scalar beyond ASCII, or puts U+FFFD for one invalid byte.
    private mutating func copyScalar(into output: inout [UInt8]) {
        let length = UTF8Check.scalarLength(base, at: position, to: end)
        if length == 0 {
            output.append(contentsOf: [0xEF, 0xBF, 0xBD])
            position += 1
        } else {
            output.append(
                contentsOf: UnsafeBufferPointer(start: base + position, count: length)
            )
            position += length
        }
    }
}

/// Well-formed UTF-8, one scalar at a time.
///
/// - Source: Unicode 15, table 3-7.
enum UTF8Check {
    /// The length of the scalar that starts at `index`, or 0 when the bytes there are not well
    /// formed.
    static func scalarLength(_ base: UnsafePointer<UInt8>, at index: Int, to end: Int) -> Int {
        let first = base[index]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0..<0x80: return 1
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        case 0xF1...0xF3: length = 4
        default: return 0
        }
        guard index + length <= end, second.contains(base[index + 1]) else { return 0 }
        for offset in 2..<max(2, length) where base[index + offset] & 0xC0 != 0x80 { return 0 }
        return length
    }
}
