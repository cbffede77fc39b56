/// MessagePack to and from records.
package enum MessagePack {
    /// Appends the record to `output`, canonical unless told otherwise.
    package static func encode<Record: WireValue>(
        _ record: consuming Record,
        canonical: Bool = true,
        into output: inout [UInt8]
    ) {
        var writer = MessagePackWriter(canonical: canonical, continuing: &output)
        record.visitPack(&writer)
        output = writer.take()
    }

    package static func encode<Record: WireValue>(_ record: Record) -> [UInt8] {
        var writer = MessagePackWriter()
        record.writePack(&writer)
        return writer.bytes
    }

    /// The record that `bytes` describe; nothing may follow it.
    package static func decode<Record: WireValue>(
        _ type: Record.Type,
        from bytes: [UInt8]
    ) throws(WireError) -> Record {
        try decode(type, from: bytes[...])
    }

    /// The record that `bytes` describe; nothing may follow it.
    package static func decode<Record: WireValue>(
        _ type: Record.Type,
        from bytes: ArraySlice<UInt8>
    ) throws(WireError) -> Record {
        let result = bytes.withUnsafeBufferPointer { buffer in
            Result { () throws(WireError) in
                var reader = MessagePackReader(buffer)
                var record = Record()
                try record.readPack(&reader)
                guard reader.isAtEnd else {
                    throw WireError(.syntax, "msgpack: bytes after the value")
                }
                return record
            }
        }
        return try result.get()
    }
}
