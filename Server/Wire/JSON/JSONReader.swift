/// Reads JSON text as Go's `json.Decoder` does, straight into records.
///
/// As a visitor it replaces the field whose key comes next, and goes on to the following key at
/// once, so that input in the record's own order is read in one pass over its fields. Keys match
/// whatever their case. The memory must outlive the reader.
package struct JSONReader {
    /// A record that is being read, for the texts of errors.
    struct Frame {
        /// The field of the enclosing record that holds this one.
        let field: StaticString
        let goType: String
        let decodesItself: Bool
        let refusesUnknownKeys: Bool
    }

    let base: UnsafePointer<UInt8>
    let end: Int
    var position = 0
    var depth = 0
    var refusesUnknownKeys: Bool
    var frames: [Frame] = []

    // The key of the current record that comes next.
    var hasKey = false
    var matched = false
    private var keyStart: UnsafePointer<UInt8>
    private var keyCount = 0
    private var decodedKey: [UInt8]?

    // The field that is being read.
    var field: StaticString = ""
    var fieldType: StaticString = ""

    init(_ text: UnsafeBufferPointer<UInt8>, refusesUnknownKeys: Bool) {
        // An empty buffer may have no address; `end` keeps the placeholder from being read.
        base = text.baseAddress ?? UnsafePointer(StaticEmpty.byte.utf8Start)
        end = text.count
        keyStart = base
        self.refusesUnknownKeys = refusesUnknownKeys
    }
}

/// An address for empty input.
private enum StaticEmpty {
    static let byte: StaticString = " "
}

extension JSONReader: FieldVisitor {
    package static var isJSON: Bool { true }
    package static var isReading: Bool { true }

    package mutating func field<Value: WireValue>(
        _ name: StaticString,
        _ value: inout Value,
        _ options: FieldOptions,
        goType: StaticString
    ) throws(WireError) {
        guard hasKey, keyMatches(name) else { return }
        field = name
        fieldType = goType
        try value.readJSON(&self)
        fieldType = ""
        matched = true
        try nextKey()
    }

    @inline(__always)
    private func keyMatches(_ name: StaticString) -> Bool {
        guard keyCount == name.utf8CodeUnitCount, decodedKey == nil else {
            return decodedKey != nil && decodedKeyMatches(name)
        }
        return JSONScan.equal(keyStart, name.utf8Start, count: keyCount)
            || JSONScan.equalFolded(keyStart, name.utf8Start, count: keyCount)
    }

    private func decodedKeyMatches(_ name: StaticString) -> Bool {
        guard let decodedKey, decodedKey.count == name.utf8CodeUnitCount else { return false }
        return decodedKey.withUnsafeBufferPointer { key in
            guard let start = key.baseAddress else { return true }
            return JSONScan.equalFolded(start, name.utf8Start, count: key.count)
        }
    }
}

extension JSONReader {
    /// Enters an object; false for null, which leaves the record as it is.
    mutating func beginRecord<Record: WireRecord>(_ type: Record.Type) throws(WireError) -> Bool {
        switch try peek() {
        case UInt8(ascii: "{"): break
        case UInt8(ascii: "n"):
            try literal("null")
            return false
        default: throw mismatch(Record.goType)
        }
        try enter()
        frames.append(
            Frame(
                field: field,
                goType: Record.goType,
                decodesItself: Record.decodesItself,
                refusesUnknownKeys: refusesUnknownKeys
            )
        )
        switch Record.unknownKeys {
        case .asEnclosing: break
        case .ignored: refusesUnknownKeys = false
        case .refused: refusesUnknownKeys = true
        }
        position += 1
        if try peekInObject() == UInt8(ascii: "}") {
            position += 1
            hasKey = false
        } else {
            try readKey()
        }
        return true
    }

    mutating func endRecord() {
        depth -= 1
        guard let frame = frames.popLast() else { return }
        field = frame.field
        refusesUnknownKeys = frame.refusesUnknownKeys
    }

    mutating func skipUnknownField() throws(WireError) {
        if refusesUnknownKeys {
            let key =
                decodedKey
                ?? Array(UnsafeBufferPointer(start: keyStart, count: keyCount))
            let name = GoQuote.quote(String(decoding: key, as: UTF8.self))
            throw WireError(.unknownField, "json: unknown field \(name)")
        }
        try skipValue()
        try nextKey()
    }

    /// After a value: the next key, or the end of the object.
    private mutating func nextKey() throws(WireError) {
        switch try peek() {
        case UInt8(ascii: ","):
            position += 1
            try readKey()
        case UInt8(ascii: "}"):
            position += 1
            hasKey = false
        default:
            throw unexpected("after object key:value pair")
        }
    }

    private mutating func readKey() throws(WireError) {
        guard try peek() == UInt8(ascii: "\"") else {
            throw unexpected("looking for beginning of object key string")
        }
        position += 1
        let stop = JSONScan.firstSpecial(base, from: position, to: end)
        if stop < end, base[stop] == UInt8(ascii: "\"") {
            keyStart = base + position
            keyCount = stop - position
            decodedKey = nil
            position = stop + 1
        } else {
            decodedKey = JSONReader.folded(try stringBytes(from: position))
        }
        try colon()
        hasKey = true
    }

    mutating func colon() throws(WireError) {
        guard try peek() == UInt8(ascii: ":") else { throw unexpected("after object key") }
        position += 1
    }

    /// Turns the two letters beyond ASCII that Go's folding knows (U+212A, U+017F) into `k` and
    /// `s`.
    private static func folded(_ key: [UInt8]) -> [UInt8] {
        guard key.contains(where: { $0 >= 0x80 }) else { return key }
        let text = String(decoding: key, as: UTF8.self)
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\u{212A}": result.append("k")
            case "\u{17F}": result.append("s")
            default: result.append(scalar)
            }
        }
        return Array(String(result).utf8)
    }
}
