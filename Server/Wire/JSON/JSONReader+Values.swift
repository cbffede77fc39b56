extension JSONReader {
    /// The next byte after white space; it stays unread.
    @inline(__always)
    mutating func peek() throws(WireError) -> UInt8 {
        while position < end {
            let byte = base[position]
            guard byte <= 0x20 else { return byte }
            guard isSpace(byte) else { return byte }
            position += 1
        }
        throw endOfInput()
    }

    @inline(__always)
    private func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    /// Like `peek`, where a key or `}` must follow.
    mutating func peekInObject() throws(WireError) -> UInt8 {
        let byte = try peek()
        guard byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "}") else {
            throw unexpected("looking for beginning of object key string")
        }
        return byte
    }

    /// Counts one more level of nesting.
    mutating func enter() throws(WireError) {
        depth += 1
        if depth > WireLimits.depth { throw WireError(.limit, "exceeded max depth") }
    }

    /// Reads `null` if it comes next.
    @inline(__always)
    mutating func readNull() throws(WireError) -> Bool {
        guard try peek() == UInt8(ascii: "n") else { return false }
        try literal("null")
        return true
    }

    /// Enters an array, calls `element` before each of its values, and leaves it.
    @inline(__always)
    mutating func readElements(
        _ element: (inout JSONReader) throws(WireError) -> Void
    ) throws(WireError) {
        try enter()
        position += 1
        if try peek() == UInt8(ascii: "]") {
            position += 1
        } else {
            var isLast = false
            while !isLast {
                try element(&self)
                switch try peek() {
                case UInt8(ascii: ","): position += 1
                case UInt8(ascii: "]"):
                    position += 1
                    isLast = true
                default: throw unexpected("after array element")
                }
            }
        }
        depth -= 1
    }

    /// Enters an object, calls `entry` with each key before its value, and leaves it.
    @inline(__always)
    mutating func readEntries(
        _ entry: (inout JSONReader, String) throws(WireError) -> Void
    ) throws(WireError) {
        try enter()
        position += 1
        if try peekInObject() == UInt8(ascii: "}") {
            position += 1
        } else {
            var isLast = false
            while !isLast {
                guard try peek() == UInt8(ascii: "\"") else {
                    throw unexpected("looking for beginning of object key string")
                }
                let key = try readString()
                try colon()
                try entry(&self, key)
                switch try peek() {
                case UInt8(ascii: ","): position += 1
                case UInt8(ascii: "}"):
                    position += 1
                    isLast = true
                default: throw unexpected("after object key:value pair")
                }
            }
        }
        depth -= 1
    }

    /// Reads a string; the opening quote comes next.
    mutating func readString() throws(WireError) -> String {
        let start = position + 1
        let stop = JSONScan.firstSpecial(base, from: start, to: end)
        guard stop < end, base[stop] == UInt8(ascii: "\"") else {
            return String(decoding: try stringBytes(from: start), as: UTF8.self)
        }
        position = stop + 1
        return String(
            decoding: UnsafeBufferPointer(start: base + start, count: stop - start),
            as: UTF8.self
        )
    }

    /// Skips one value of any kind, checking its syntax.
    mutating func skipValue() throws(WireError) {
        switch try peek() {
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "{"):
            try readEntries { (reader, _) throws(WireError) in try reader.skipValue() }
        case UInt8(ascii: "["):
            try readElements { (reader) throws(WireError) in try reader.skipValue() }
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): _ = try number()
        default: throw unexpected("looking for beginning of value")
        }
    }

    private mutating func skipString() throws(WireError) {
        let start = position + 1
        let stop = JSONScan.firstSpecial(base, from: start, to: end)
        if stop < end, base[stop] == UInt8(ascii: "\"") {
            position = stop + 1
        } else {
            _ = try stringBytes(from: start)
        }
    }

    mutating func literal(_ text: StaticString) throws(WireError) {
        for index in 1..<text.utf8CodeUnitCount {
            guard position + index < end else { throw endOfInput() }
            guard base[position + index] == text.utf8Start[index] else {
                let expected = GoQuote.quote(character: text.utf8Start[index])
                position += index
                throw unexpected("in literal \(text) (expecting \(expected))")
            }
        }
        position += text.utf8CodeUnitCount
    }

    /// Reads a number's text; true when it is an integer.
    mutating func number() throws(WireError) -> (text: UnsafeBufferPointer<UInt8>, isInteger: Bool)
    {
        let start = position
        var isInteger = true
        if base[position] == UInt8(ascii: "-") { position += 1 }
        guard position < end else { throw endOfInput() }
        if base[position] == UInt8(ascii: "0") {
            position += 1
        } else if !skipDigits() {
            throw unexpected("in numeric literal")
        }
        if position < end, base[position] == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try requireDigits("after decimal point in numeric literal")
        }
        if position < end, base[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if position < end,
                base[position] == UInt8(ascii: "+") || base[position] == UInt8(ascii: "-")
            {
                position += 1
            }
            try requireDigits("in exponent of numeric literal")
        }
        return (UnsafeBufferPointer(start: base + start, count: position - start), isInteger)
    }

    private mutating func requireDigits(_ place: String) throws(WireError) {
        guard position < end else { throw endOfInput() }
        guard skipDigits() else { throw unexpected(place) }
    }

    private mutating func skipDigits() -> Bool {
        let start = position
        while position < end, base[position] >= 0x30, base[position] <= 0x39 { position += 1 }
        return position > start
    }
}
