import Model

/// Reads MessagePack in the profile of Consul's servers, and what newer peers send.
///
/// As a visitor it fills the field whose key was read last and goes on to the next key at once,
/// so that input in the record's own order is read in one pass over its fields. Every length is
/// checked against what is left of the input. The memory must outlive the reader.
/// - Source: RPC sheet §3.
package struct MessagePackReader {
    let base: UnsafePointer<UInt8>?
    let end: Int
    var position = 0
    private var depth = 0

    // The key of the current record that comes next, and how many follow it.
    private var key = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    private(set) var hasKey = false
    var matched = false
    private var remainingKeys = 0

    /// What `endRecord` returns to.
    struct Enclosing {
        fileprivate let remainingKeys: Int
    }

    package init(_ bytes: UnsafeBufferPointer<UInt8>) {
        base = bytes.baseAddress
        end = bytes.count
    }

    /// True when nothing is left.
    package var isAtEnd: Bool { position == end }

    /// Enters a record and reads its first key; nil for nil.
    mutating func beginRecord() throws(WireError) -> Enclosing? {
        guard let count = try beginMap() else { return nil }
        let enclosing = Enclosing(remainingKeys: remainingKeys)
        remainingKeys = count
        try nextKey()
        return enclosing
    }

    /// Leaves a record; the enclosing one goes on with its next key.
    mutating func endRecord(_ enclosing: Enclosing) {
        leave()
        remainingKeys = enclosing.remainingKeys
    }

    mutating func skipUnknownField() throws(WireError) {
        try skipValue()
        try nextKey()
    }

    private mutating func nextKey() throws(WireError) {
        hasKey = remainingKeys > 0
        if hasKey {
            remainingKeys -= 1
            key = try rawBytes(acceptsBinary: false)
        }
    }

    /// Leaves an array, map or record.
    mutating func leave() {
        depth -= 1
    }

    mutating func readNull() throws(WireError) -> Bool {
        guard try peek() == 0xC0 else { return false }
        position += 1
        return true
    }

    package mutating func bool() throws(WireError) -> Bool {
        switch try next() {
        case 0xC3: return true
        case 0xC2, 0xC0: return false
        case let tag: throw unexpected(tag, "bool")
        }
    }

    package mutating func integer() throws(WireError) -> Int64 {
        let tag = try next()
        switch tag {
        case 0..<0x80: return Int64(tag)
        case 0xE0...0xFF: return Int64(Int8(bitPattern: tag))
        case 0xC0: return 0
        case 0xCC: return Int64(try fixed(UInt8.self))
        case 0xCD: return Int64(try fixed(UInt16.self))
        case 0xCE: return Int64(try fixed(UInt32.self))
        case 0xCF:
            guard let value = Int64(exactly: try fixed(UInt64.self)) else {
                throw WireError(.type, "msgpack: integer overflows int64")
            }
            return value
        case 0xD0: return Int64(try fixed(Int8.self))
        case 0xD1: return Int64(try fixed(Int16.self))
        case 0xD2: return Int64(try fixed(Int32.self))
        case 0xD3: return try fixed(Int64.self)
        default: throw unexpected(tag, "integer")
        }
    }

    package mutating func unsigned() throws(WireError) -> UInt64 {
        if try peek() == 0xCF {
            position += 1
            return try fixed(UInt64.self)
        }
        guard let value = UInt64(exactly: try integer()) else {
            throw WireError(.type, "msgpack: negative number for an unsigned integer")
        }
        return value
    }

    package mutating func double() throws(WireError) -> Double {
        switch try peek() {
        case 0xCB:
            position += 1
            return Double(bitPattern: try fixed(UInt64.self))
        case 0xCA:
            position += 1
            return Double(Float(bitPattern: try fixed(UInt32.self)))
        case 0xCF:
            return Double(try unsigned())
        default: return Double(try integer())
        }
    }

    /// Raw or `str8` text; binary is refused as by Consul.
    ///
    /// Invalid UTF-8 becomes U+FFFD.
    package mutating func string() throws(WireError) -> String {
        if try readNull() { return "" }
        return String(decoding: try rawBytes(acceptsBinary: false), as: UTF8.self)
    }

    /// Raw, string or binary; nil is no bytes.
    package mutating func bytes() throws(WireError) -> [UInt8] {
        if try readNull() { return [] }
        return Array(try rawBytes(acceptsBinary: true))
    }

    /// A moment in Go's binary form, in nanoseconds since 1970; nil is the zero time.
    package mutating func time() throws(WireError) -> UInt64? {
        let text = try rawBytes(acceptsBinary: true)
        guard text.count == 15, text[0] == 1 else {
            throw WireError(.value, "msgpack: not a time")
        }
        let seconds = text[1..<9].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let nanoseconds = text[9..<13].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard seconds >= GoTime.epochSeconds else { return nil }
        let (scaled, overflow) = (seconds - GoTime.epochSeconds)
            .multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, tooLarge) = scaled.addingReportingOverflow(nanoseconds)
        guard !overflow, !tooLarge else { throw WireError(.value, "msgpack: time out of range") }
        return sum
    }

    /// The number of elements that follow, or nil for nil.
    ///
    /// Call `leave` after them.
    package mutating func beginArray() throws(WireError) -> Int? {
        let tag = try next()
        switch tag {
        case 0xC0: return nil
        case 0x90...0x9F: return try enter(Int(tag & 15), bytesEach: 1)
        case 0xDC: return try enter(Int(try fixed(UInt16.self)), bytesEach: 1)
        case 0xDD: return try enter(Int(try fixed(UInt32.self)), bytesEach: 1)
        default: throw unexpected(tag, "array")
        }
    }

    /// The number of key/value pairs that follow, or nil for nil.
    ///
    /// Call `leave` after them.
    package mutating func beginMap() throws(WireError) -> Int? {
        let tag = try next()
        switch tag {
        case 0xC0: return nil
        case 0x80...0x8F: return try enter(Int(tag & 15), bytesEach: 2)
        case 0xDE: return try enter(Int(try fixed(UInt16.self)), bytesEach: 2)
        case 0xDF: return try enter(Int(try fixed(UInt32.self)), bytesEach: 2)
        default: throw unexpected(tag, "map")
        }
    }

    private mutating func enter(_ count: Int, bytesEach: Int) throws(WireError) -> Int {
        guard count <= (end - position) / bytesEach else { throw truncated() }
        depth += 1
        if depth > WireLimits.depth { throw WireError(.limit, "msgpack: nested too deep") }
        return count
    }
}

extension MessagePackReader: FieldVisitor {
    package static var isJSON: Bool { false }
    package static var isReading: Bool { true }

    package mutating func field<Value: WireValue>(
        _ name: StaticString,
        _ value: inout Value,
        _ options: FieldOptions,
        goType: StaticString
    ) throws(WireError) {
        guard hasKey, key.count == name.utf8CodeUnitCount, let start = key.baseAddress,
            JSONScan.equal(start, name.utf8Start, count: key.count)
        else { return }
        try value.readPack(&self)
        matched = true
        try nextKey()
    }
}

extension MessagePackReader {
    private func peek() throws(WireError) -> UInt8 {
        guard position < end, let base else { throw truncated() }
        return base[position]
    }

    private mutating func next() throws(WireError) -> UInt8 {
        let byte = try peek()
        position += 1
        return byte
    }

    private mutating func fixed<Value: FixedWidthInteger>(
        _ type: Value.Type
    ) throws(WireError) -> Value {
        let size = MemoryLayout<Value>.size
        guard end - position >= size, let base else { throw truncated() }
        let value = UnsafeRawPointer(base + position).loadUnaligned(as: Value.self)
        position += size
        return Value(bigEndian: value)
    }

    private mutating func rawBytes(
        acceptsBinary: Bool
    ) throws(WireError) -> UnsafeBufferPointer<UInt8> {
        let tag = try next()
        let count: Int
        switch tag {
        case 0xA0...0xBF: count = Int(tag & 31)
        case 0xD9: count = Int(try fixed(UInt8.self))
        case 0xDA: count = Int(try fixed(UInt16.self))
        case 0xDB: count = Int(try fixed(UInt32.self))
        case 0xC4 where acceptsBinary: count = Int(try fixed(UInt8.self))
        case 0xC5 where acceptsBinary: count = Int(try fixed(UInt16.self))
        case 0xC6 where acceptsBinary: count = Int(try fixed(UInt32.self))
        default: throw unexpected(tag, "string")
        }
        guard count <= end - position, let base else { throw truncated() }
        defer { position += count }
        return UnsafeBufferPointer(start: base + position, count: count)
    }

    /// Skips one value of any kind.
    mutating func skipValue() throws(WireError) {
        let bytes = UnsafeBufferPointer(start: base, count: end)
        switch try MessagePackScan.end(ofValueAt: position, in: bytes) {
        case .end(let next): position = next
        case .incomplete: throw truncated()
        }
    }

    /// Reads any value; raw becomes text, as in Consul's RPC.
    mutating func anyValue() throws(WireError) -> JSONValue {
        let tag = try peek()
        switch tag {
        case 0xC0:
            position += 1
            return .null
        case 0xC2, 0xC3: return .bool(try bool())
        case 0xCA, 0xCB: return .double(try double())
        case 0xCF:
            let value = try unsigned()
            return Int64(exactly: value).map { .integer($0) } ?? .double(Double(value))
        case 0..<0x80, 0xE0...0xFF, 0xCC...0xCE, 0xD0...0xD3: return .integer(try integer())
        case 0x90...0x9F, 0xDC, 0xDD:
            var elements: [JSONValue] = []
            try elements.readPack(&self)
            return .array(elements)
        case 0x80...0x8F, 0xDE, 0xDF:
            var entries: [String: JSONValue] = [:]
            try entries.readPack(&self)
            return .object(entries)
        case 0xC4...0xC6, 0xA0...0xBF, 0xD9...0xDB:
            return .string(String(decoding: try rawBytes(acceptsBinary: true), as: UTF8.self))
        default: throw unexpected(tag, "value")
        }
    }

    private func truncated() -> WireError {
        WireError(.syntax, "msgpack: unexpected end of input")
    }

    private func unexpected(_ tag: UInt8, _ wanted: String) -> WireError {
        let hexadecimal = String(tag, radix: 16)
        return WireError(.type, "msgpack: byte 0x\(hexadecimal) where \(wanted) should start")
    }
}
