/// Reads a JSON text from front to back, without building a tree.
///
/// A caller that knows what it wants takes values one by one and skips the rest; what is skipped is
/// checked like all else, so a text is either read to its end or refused with the offset of the
/// fault. Nothing here traps, whatever the bytes are.
///
/// - Source: RFC 8259
struct JSONScanner {
    private let base: UnsafeRawPointer

    /// How many bytes the text has.
    let count: Int

    /// Where the next byte is read.
    ///
    /// Invariant: 0...count.
    private(set) var position = 0

    /// How many arrays and objects are open.
    ///
    /// Invariant: at most `Limits.nesting`.
    private var depth = 0

    /// Begins at the first of `bytes`, which must stay in place while the scanner is used.
    ///
    /// - Throws: ``JSONFault`` when there are no bytes at all.
    init(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONFault) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else {
            throw JSONFault("there is nothing", at: 0)
        }
        base = UnsafeRawPointer(start)
        count = bytes.count
    }

    /// The byte at `index`, which must be inside the text.
    @inline(__always)
    func byte(at index: Int) -> UInt8 {
        precondition(index < count)
        return base.load(fromByteOffset: index, as: UInt8.self)
    }

    /// The bytes of a range inside the text.
    @inline(__always)
    func bytes(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return UnsafeBufferPointer(
            start: (base + range.lowerBound).assumingMemoryBound(to: UInt8.self),
            count: range.count
        )
    }

    /// The eight bytes from `index` on, the first one lowest; nil when there are fewer.
    @inline(__always)
    func word(at index: Int) -> UInt64? {
        guard index + 8 <= count else { return nil }
        return UInt64(
            littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        )
    }

    /// Goes on at `index`.
    @inline(__always)
    mutating func move(to index: Int) {
        precondition(index <= count)
        position = index
    }

    /// A fault at the place reached.
    func fault(_ reason: StaticString) -> JSONFault { JSONFault(reason, at: position) }

    /// The next byte that is no white space; it stays there.
    @inline(__always)
    mutating func token() throws(JSONFault) -> UInt8 {
        while position < count {
            let byte = byte(at: position)
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
                position += 1
            default: return byte
            }
        }
        throw fault("the text ends too early")
    }

    /// Makes sure that only white space follows.
    mutating func end() throws(JSONFault) {
        while position < count {
            switch byte(at: position) {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
                position += 1
            default: throw fault("something follows the value")
            }
        }
    }

    // MARK: Arrays and objects

    /// Enters an array; then ask ``nextElement(_:)`` before each element.
    mutating func openArray() throws(JSONFault) {
        guard try token() == UInt8(ascii: "[") else { throw fault("an array was expected") }
        try open()
    }

    /// Enters an object; then ask ``nextKey(_:)`` before each member.
    mutating func openObject() throws(JSONFault) {
        guard try token() == UInt8(ascii: "{") else { throw fault("an object was expected") }
        try open()
    }

    private mutating func open() throws(JSONFault) {
        guard depth < Limits.nesting else { throw fault("the nesting is too deep") }
        depth += 1
        position += 1
    }

    /// Goes to the next element, or leaves the array and says false.
    ///
    /// - Parameter isFirst: True before the first element; set to false here.
    /// - Returns: Whether there is one.
    /// - Throws: ``JSONFault``.
    @inline(__always)
    mutating func nextElement(_ isFirst: inout Bool) throws(JSONFault) -> Bool {
        let byte = try token()
        if byte == UInt8(ascii: "]") {
            position += 1
            depth -= 1
            return false
        }
        if isFirst {
            isFirst = false
        } else {
            guard byte == UInt8(ascii: ",") else { throw fault("a comma was expected") }
            position += 1
        }
        return true
    }

    /// Goes to the value of the next member and gives its name, or leaves the object and gives nil.
    ///
    /// - Parameter isFirst: True before the first member; set to false here.
    /// - Returns: The name, nil behind the last member.
    /// - Throws: ``JSONFault``.
    @inline(__always)
    mutating func nextKey(_ isFirst: inout Bool) throws(JSONFault) -> JSONText? {
        let byte = try token()
        if byte == UInt8(ascii: "}") {
            position += 1
            depth -= 1
            return nil
        }
        if isFirst {
            isFirst = false
        } else {
            guard byte == UInt8(ascii: ",") else { throw fault("a comma was expected") }
            position += 1
        }
        let key = try text()
        guard try token() == UInt8(ascii: ":") else { throw fault("a colon was expected") }
        position += 1
        return key
    }

    // MARK: Anything

    /// Takes a `null`, if that is next.
    @inline(__always)
    mutating func takeNull() throws(JSONFault) -> Bool {
        guard try token() == UInt8(ascii: "n") else { return false }
        try literal("null")
        return true
    }

    /// Takes one of the three words.
    mutating func literal(_ word: StaticString) throws(JSONFault) {
        let length = word.utf8CodeUnitCount
        guard position + length <= count else { throw fault("the text ends too early") }
        for offset in 0..<length where byte(at: position + offset) != word.utf8Start[offset] {
            throw fault("no JSON value begins here")
        }
        position += length
    }

    /// Takes one value of any kind and checks it; gives the range of its bytes.
    @discardableResult
    mutating func skip() throws(JSONFault) -> Range<Int> {
        let first = try token()
        let start = position
        switch first {
        case UInt8(ascii: "\""): _ = try text()
        case UInt8(ascii: "{"):
            try openObject()
            var isFirst = true
            while try nextKey(&isFirst) != nil { try skip() }
        case UInt8(ascii: "["):
            try openArray()
            var isFirst = true
            while try nextElement(&isFirst) { try skip() }
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: _ = try number()
        }
        return start..<position
    }
}

/// What is wrong with a JSON text, and where.
struct JSONFault: Error, CustomStringConvertible {
    let reason: StaticString

    /// The offset of the byte at which it was seen.
    let offset: Int

    init(_ reason: StaticString, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    var description: String { "\(reason) (at byte \(offset))" }
}
