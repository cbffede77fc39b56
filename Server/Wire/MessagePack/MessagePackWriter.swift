/// Writes MessagePack in the profile of Consul's servers.
///
/// Strings and bytes are both `raw`, integers take their shortest form, nil is `c0`, and the keys of records
/// are sorted by their bytes.
/// - Source: RPC sheet §3.
package struct MessagePackWriter: Sendable {
    /// The bytes so far.
    package private(set) var bytes: [UInt8]
    private var fields: [Field] = []

    /// A field of a record that is being written: its name and where its key starts.
    private struct Field: Sendable {
        let name: StaticString
        let start: Int
    }

    /// Where a record started.
    struct Mark {
        fileprivate let byte: Int
        fileprivate let field: Int
    }

    package init(_ bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    package mutating func null() {
        bytes.append(0xC0)
    }

    package mutating func bool(_ value: Bool) {
        bytes.append(value ? 0xC3 : 0xC2)
    }

    package mutating func integer(_ value: Int64) {
        switch value {
        case 0...: unsigned(UInt64(value))
        case (-32)...: bytes.append(UInt8(bitPattern: Int8(value)))
        case Int64(Int8.min)...:
            bytes.append(0xD0)
            bytes.append(UInt8(bitPattern: Int8(value)))
        case Int64(Int16.min)...:
            bytes.append(0xD1)
            append(UInt16(bitPattern: Int16(value)))
        case Int64(Int32.min)...:
            bytes.append(0xD2)
            append(UInt32(bitPattern: Int32(value)))
        default:
            bytes.append(0xD3)
            append(UInt64(bitPattern: value))
        }
    }

    package mutating func unsigned(_ value: UInt64) {
        switch value {
        case 0..<0x80: bytes.append(UInt8(value))
        case 0x80...0xFF:
            bytes.append(0xCC)
            bytes.append(UInt8(value))
        case 0x100...0xFFFF:
            bytes.append(0xCD)
            append(UInt16(value))
        case 0x1_0000...0xFFFF_FFFF:
            bytes.append(0xCE)
            append(UInt32(value))
        default:
            bytes.append(0xCF)
            append(value)
        }
    }

    package mutating func double(_ value: Double) {
        bytes.append(0xCB)
        append(value.bitPattern)
    }

    package mutating func string(_ value: String) {
        var value = value
        value.withUTF8 { text in
            rawHeader(text.count)
            bytes.append(contentsOf: text)
        }
    }

    package mutating func raw(_ value: [UInt8]) {
        rawHeader(value.count)
        bytes.append(contentsOf: value)
    }

    /// A moment as Go's binary form of `time.Time` in UTC; nil is Go's zero time.
    ///
    /// ```
    /// af | 01 | seconds since 0001-01-01 (8, big-endian) | nanoseconds (4) | ff ff
    /// ```
    /// - Source: RPC sheet §3.7.
    package mutating func time(nanosecondsSinceEpoch: UInt64?) {
        bytes.append(0xAF)
        bytes.append(0x01)
        let nanoseconds = nanosecondsSinceEpoch ?? 0
        let seconds = nanosecondsSinceEpoch.map { $0 / 1_000_000_000 + GoTime.epochSeconds }
        append(seconds ?? 0)
        append(UInt32(nanoseconds % 1_000_000_000))
        append(UInt16.max)
    }

    package mutating func beginArray(count: Int) {
        header(count, short: 0x90, wide: 0xDC)
    }

    package mutating func beginMap(count: Int) {
        header(count, short: 0x80, wide: 0xDE)
    }

    private mutating func header(_ count: Int, short: UInt8, wide: UInt8) {
        if count < 16 {
            bytes.append(short | UInt8(count))
        } else if count <= 0xFFFF {
            bytes.append(wide)
            append(UInt16(count))
        } else {
            bytes.append(wide + 1)
            append(UInt32(count))
        }
    }

    private mutating func rawHeader(_ count: Int) {
        if count < 32 {
            bytes.append(0xA0 | UInt8(count))
        } else if count <= 0xFFFF {
            bytes.append(0xDA)
            append(UInt16(count))
        } else {
            bytes.append(0xDB)
            append(UInt32(count))
        }
    }

    private mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }
}

extension MessagePackWriter {
    mutating func beginRecord() -> Mark {
        Mark(byte: bytes.count, field: fields.count)
    }

    /// Puts the fields since `mark` in the order of their names, behind the header of a map.
    mutating func endRecord(_ mark: Mark) {
        let content = Array(bytes[mark.byte...])
        let count = fields.count - mark.field
        let order = sortedFields(from: mark.field)
        bytes.removeSubrange(mark.byte...)
        beginMap(count: count)
        content.withUnsafeBufferPointer { content in
            for index in order {
                let start = fields[index].start - mark.byte
                let isLast = index + 1 == fields.count
                let stop = isLast ? content.count : fields[index + 1].start - mark.byte
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: content[start..<stop]))
            }
        }
        fields.removeSubrange(mark.field...)
    }

    /// Insertion sort: records have at most thirty fields, most of them in order already.
    private func sortedFields(from first: Int) -> [Int] {
        var order: [Int] = []
        order.reserveCapacity(fields.count - first)
        for index in first..<fields.count {
            var position = order.count
            while position > 0, precedes(fields[index].name, fields[order[position - 1]].name) {
                position -= 1
            }
            order.insert(index, at: position)
        }
        return order
    }

    private func precedes(_ left: StaticString, _ right: StaticString) -> Bool {
        let common = min(left.utf8CodeUnitCount, right.utf8CodeUnitCount)
        for index in 0..<common where left.utf8Start[index] != right.utf8Start[index] {
            return left.utf8Start[index] < right.utf8Start[index]
        }
        return left.utf8CodeUnitCount < right.utf8CodeUnitCount
    }
}

extension MessagePackWriter: FieldVisitor {
    package static var isJSON: Bool { false }
    package static var isReading: Bool { false }

    package mutating func field<Value: WireValue>(
        _ name: StaticString,
        _ value: inout Value,
        _ options: FieldOptions,
        goType: StaticString
    ) {
        fields.append(Field(name: name, start: bytes.count))
        rawHeader(name.utf8CodeUnitCount)
        bytes.append(
            contentsOf: UnsafeBufferPointer(
                start: name.utf8Start,
                count: name.utf8CodeUnitCount
            )
        )
        value.writePack(&self)
    }
}

/// Go's count of seconds, from the year 1.
enum GoTime {
    /// The seconds between 0001-01-01 and 1970-01-01.
    static let epochSeconds: UInt64 = 62_135_596_800
}
