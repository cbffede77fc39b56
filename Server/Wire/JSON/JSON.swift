package import Model

/// JSON text to and from records.
package enum JSON {
    /// Appends the record as one value.
    package static func encode<Record: WireValue>(_ record: Record, into writer: inout JSONWriter) {
        record.writeJSON(&writer)
    }

    package static func encode<Record: WireValue>(_ record: Record) -> [UInt8] {
        var writer = JSONWriter(capacity: 512)
        record.writeJSON(&writer)
        return writer.bytes
    }

    // The records that every write encodes have functions of their own: called from another
    // module, the generic one would run unspecialised. They borrow the record for writing, which
    // leaves it as it was; the arrays of those that are copied at once have room to spare.

    package static func encode(_ record: inout CatalogService) -> [UInt8] {
        var writer = specialized(&record)
        return writer.take()
    }

    package static func encode(_ record: inout HealthCheck) -> [UInt8] {
        var writer = specialized(&record)
        return writer.take()
    }

    package static func encode(_ record: inout Node) -> [UInt8] {
        specialized(&record).bytes
    }

    @inline(__always)
    private static func specialized<Record: WireRecord>(_ record: inout Record) -> JSONWriter {
        var writer = JSONWriter(capacity: 512)
        writer.beginObject()
        do { try record.visit(&writer) } catch {}  // Writers refuse nothing.
        writer.endObject()
        return writer
    }

    /// The record that `bytes` describe; what follows the first value is ignored, as Go's decoder
    /// does.
    ///
    /// `refusesUnknownKeys` makes a key that the record does not have an error, which is how
    /// Consul reads request bodies; records that are more lenient say so themselves.
    package static func decode<Record: WireValue>(
        _ type: Record.Type,
        from bytes: [UInt8],
        refusesUnknownKeys: Bool = false
    ) throws(WireError) -> Record {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(WireError) in
                try decode(type, from: buffer, refusesUnknownKeys: refusesUnknownKeys)
            }
        }
        return try result.get()
    }

    /// The record that the memory of `buffer` describes.
    package static func decode<Record: WireValue>(
        _ type: Record.Type,
        from buffer: UnsafeRawBufferPointer,
        refusesUnknownKeys: Bool = false
    ) throws(WireError) -> Record {
        let text = buffer.bindMemory(to: UInt8.self)
        var reader = JSONReader(text, refusesUnknownKeys: refusesUnknownKeys)
        var record = Record()
        do {
            try record.readJSON(&reader)
        } catch {
            // Go checks the syntax of the whole value before it looks at types.
            if error.code != .syntax, error.code != .limit {
                var checker = JSONReader(text, refusesUnknownKeys: false)
                try checker.skipValue()
            }
            throw error
        }
        return record
    }

    /// Any JSON value; unlike `decode`, nothing but white space may follow it.
    package static func parse(_ bytes: [UInt8]) throws(WireError) -> JSONValue {
        let result = bytes.withUnsafeBufferPointer { text in
            Result { () throws(WireError) in
                var reader = JSONReader(text, refusesUnknownKeys: false)
                var value = JSONValue.null
                try value.readJSON(&reader)
                try reader.requireEnd()
                return value
            }
        }
        return try result.get()
    }

    /// The same text with line breaks and indentation, four spaces unless told otherwise.
    ///
    /// - Source: Go: json.Indent; Consul: the `pretty` parameter.
    /// - Precondition: `compact` is valid JSON without white space between its tokens.
    package static func pretty(_ compact: [UInt8], indent: StaticString = "    ") -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(compact.count * 2)
        var depth = 0
        var index = 0
        while index < compact.count {
            let byte = compact[index]
            switch byte {
            case UInt8(ascii: "\""):
                let stop = endOfString(compact, from: index)
                output.append(contentsOf: compact[index..<stop])
                index = stop
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                output.append(byte)
                if index + 1 < compact.count, compact[index + 1] == byte + 2 {
                    output.append(byte + 2)
                    index += 1
                } else {
                    depth += 1
                    newLine(depth, indent, into: &output)
                }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth = max(0, depth - 1)
                newLine(depth, indent, into: &output)
                output.append(byte)
            case UInt8(ascii: ","):
                output.append(byte)
                newLine(depth, indent, into: &output)
            case UInt8(ascii: ":"):
                output.append(byte)
                output.append(UInt8(ascii: " "))
            default: output.append(byte)
            }
            index += 1
        }
        return output
    }

    private static func endOfString(_ text: [UInt8], from start: Int) -> Int {
        var index = start + 1
        while index < text.count, text[index] != UInt8(ascii: "\"") {
            index += text[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(index + 1, text.count)
    }

    private static func newLine(
        _ depth: Int,
        _ indent: StaticString,
        into output: inout [UInt8]
    ) {
        output.append(UInt8(ascii: "\n"))
        for _ in 0..<depth {
            output.append(
                contentsOf: UnsafeBufferPointer(
                    start: indent.utf8Start,
                    count: indent.utf8CodeUnitCount
                )
            )
        }
    }
}

extension JSONReader {
    /// Refuses anything but white space after the value.
    mutating func requireEnd() throws(WireError) {
        while position < end {
            guard [0x20, 0x0A, 0x0D, 0x09].contains(base[position]) else {
                throw unexpected("after top-level value")
            }
            position += 1
        }
    }
}
