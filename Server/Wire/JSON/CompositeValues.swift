package import Model

/// Raw bytes: base64 in JSON, raw in MessagePack, and null when there are none.
package struct WireBytes: WireValue, Hashable {
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    package init() {
        bytes = []
    }

    package static var goType: String { "[]uint8" }
    package var isZero: Bool { bytes.isEmpty }

    package func writeJSON(_ writer: inout JSONWriter) {
        bytes.isEmpty ? writer.null() : writer.base64(bytes)
    }

    package mutating func readJSON(_ reader: inout JSONReader) throws(WireError) {
        switch try reader.peek() {
        case UInt8(ascii: "\""):
            let text = try reader.stringBytes(from: reader.position + 1)
            bytes = try Base64.decode(bytes: text)
        case UInt8(ascii: "n"):
            try reader.literal("null")
            bytes = []
        default: throw reader.mismatch(Self.goType)
        }
    }

    package func writePack(_ writer: inout MessagePackWriter) {
        bytes.isEmpty ? writer.null() : writer.raw(bytes)
    }

    package mutating func readPack(_ reader: inout MessagePackReader) throws(WireError) {
        bytes = try reader.bytes()
    }
}

extension Optional: WireValue where Wrapped: WireValue {
    package init() {
        self = nil
    }

    package static var goType: String { Wrapped.goType }

    /// As `omitempty` sees it: absent, and for slices and maps also empty.
    package var isZero: Bool { self?.isZero ?? true }

    /// An empty list is not an absent one.
    package var isDefault: Bool { self == nil }

    package func writeJSON(_ writer: inout JSONWriter) {
        guard let self else { return writer.null() }
        self.writeJSON(&writer)
    }

    package mutating func readJSON(_ reader: inout JSONReader) throws(WireError) {
        if try reader.readNull() {
            self = nil
        } else {
            var value = self ?? Wrapped()
            try value.readJSON(&reader)
            self = value
        }
    }

    package func writePack(_ writer: inout MessagePackWriter) {
        guard let self else { return writer.null() }
        self.writePack(&writer)
    }

    package mutating func visitPack(_ writer: inout MessagePackWriter) {
        guard var value = take() else { return writer.null() }
        value.visitPack(&writer)
        self = value
    }

    package mutating func readPack(_ reader: inout MessagePackReader) throws(WireError) {
        if try reader.readNull() {
            self = nil
        } else {
            var value = Wrapped()
            try value.readPack(&reader)
            self = value
        }
    }
}

extension Array: WireValue where Element: WireValue {
    package static var goType: String { "[]" + Element.goType }
    package var isZero: Bool { isEmpty }

    package func writeJSON(_ writer: inout JSONWriter) {
        writer.beginArray()
        for element in self { element.writeJSON(&writer) }
        writer.endArray()
    }

    package mutating func readJSON(_ reader: inout JSONReader) throws(WireError) {
        switch try reader.peek() {
        case UInt8(ascii: "["):
            var elements: [Element] = []
            elements.reserveCapacity(4)
            reader.fieldType = ""  // It names the array; the elements have their own.
            try reader.readElements { (reader) throws(WireError) in
                var element = Element()
                try element.readJSON(&reader)
                elements.append(element)
            }
            self = elements
        case UInt8(ascii: "n"):
            try reader.literal("null")
            self = []
        default: throw reader.mismatch(Self.goType)
        }
    }

    package func writePack(_ writer: inout MessagePackWriter) {
        writer.beginArray(count: count)
        for element in self { element.writePack(&writer) }
    }

    package mutating func readPack(_ reader: inout MessagePackReader) throws(WireError) {
        guard let count = try reader.beginArray() else {
            self = []
            return
        }
        var elements: [Element] = []
        elements.reserveCapacity(Swift.min(count, WireLimits.reservedElements))
        for _ in 0..<count {
            var element = Element()
            try element.readPack(&reader)
            elements.append(element)
        }
        reader.leave()
        self = elements
    }
}

extension Dictionary: WireValue where Key == String, Value: WireValue {
    package static var goType: String { "map[string]" + Value.goType }
    package var isZero: Bool { isEmpty }

    package func writeJSON(_ writer: inout JSONWriter) {
        writer.beginObject()
        for (key, value) in sorted(by: { $0.key.utf8Precedes($1.key) }) {
            writer.key(key)
            value.writeJSON(&writer)
        }
        writer.endObject()
    }

    package mutating func readJSON(_ reader: inout JSONReader) throws(WireError) {
        switch try reader.peek() {
        case UInt8(ascii: "{"):
            var entries = isEmpty ? Dictionary(minimumCapacity: 4) : self
            try reader.readEntries { (reader, key) throws(WireError) in
                var value = Value()
                try value.readJSON(&reader)
                entries[key] = value
            }
            self = entries
        case UInt8(ascii: "n"):
            try reader.literal("null")
            self = [:]
        default: throw reader.mismatch(Self.goType)
        }
    }

    /// Sorted by key: the same map gives the same bytes on every server.
    package func writePack(_ writer: inout MessagePackWriter) {
        writer.beginMap(count: count)
        for (key, value) in sorted(by: { $0.key.utf8Precedes($1.key) }) {
            writer.string(key)
            value.writePack(&writer)
        }
    }

    package mutating func readPack(_ reader: inout MessagePackReader) throws(WireError) {
        guard let count = try reader.beginMap() else {
            self = [:]
            return
        }
        var entries: [String: Value] = [:]
        entries.reserveCapacity(Swift.min(count, WireLimits.reservedElements))
        for _ in 0..<count {
            let key = try reader.string()
            var value = Value()
            try value.readPack(&reader)
            entries[key] = value
        }
        reader.leave()
        self = entries
    }
}

extension String {
    /// Whether this comes before `other` in the order of their bytes, which is Go's.
    package func utf8Precedes(_ other: String) -> Bool {
        utf8.lexicographicallyPrecedes(other.utf8)
    }
}

extension JSONValue: WireValue {
    package init() {
        self = .null
    }

    package static var goType: String { "interface {}" }
    package var isZero: Bool { self == .null }

    package func writeJSON(_ writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .integer(let value): writer.integer(Int(value))
        case .double(let value): writer.double(value)
        case .string(let value): writer.string(value)
        case .array(let values): values.writeJSON(&writer)
        case .object(let values): values.writeJSON(&writer)
        }
    }

    package mutating func readJSON(_ reader: inout JSONReader) throws(WireError) {
        switch try reader.peek() {
        case UInt8(ascii: "\""): self = .string(try reader.readString())
        case UInt8(ascii: "{"):
            var entries: [String: JSONValue] = [:]
            try entries.readJSON(&reader)
            self = .object(entries)
        case UInt8(ascii: "["):
            var elements: [JSONValue] = []
            try elements.readJSON(&reader)
            self = .array(elements)
        case UInt8(ascii: "t"), UInt8(ascii: "f"):
            var value = false
            try value.readJSON(&reader)
            self = .bool(value)
        case UInt8(ascii: "n"):
            try reader.literal("null")
            self = .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            self = try JSONValue.number(&reader)
        default: throw reader.unexpected("looking for beginning of value")
        }
    }

    /// Go keeps numbers as `float64`: integers beyond its 53 bits are rounded as there.
    private static func number(_ reader: inout JSONReader) throws(WireError) -> JSONValue {
        let (text, isInteger) = try reader.number()
        if isInteger, let value = Int.parse(text), value.magnitude <= 9_007_199_254_740_992 {
            return .integer(Int64(value))
        }
        guard let value = Double.parse(text) else {
            throw reader.mismatch(number: text, "float64")
        }
        return .double(value)
    }

    package func writePack(_ writer: inout MessagePackWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .integer(let value): writer.integer(value)
        case .double(let value): writer.double(value)
        case .string(let value): writer.string(value)
        case .array(let values): values.writePack(&writer)
        case .object(let values): values.writePack(&writer)
        }
    }

    package mutating func readPack(_ reader: inout MessagePackReader) throws(WireError) {
        self = try reader.anyValue()
    }
}
