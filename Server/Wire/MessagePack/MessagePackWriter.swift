/// Writes MessagePack in the profile of Consul's servers.
///
/// Strings and bytes are both `raw`, integers take their shortest form, nil is `c0`, and the keys
/// of records are sorted by their bytes. When it is not to be canonical, keys come in the record's
/// own order and those of zeros are left out, which every reader accepts and which is faster to
/// write and to read.
/// - Source: RPC sheet §3.
package struct MessagePackWriter: Sendable {
    var sink: ByteSink
    private let isCanonical: Bool
    /// How many fields the current record has so far, when they are not sorted.
    private var fieldCount: UInt16 = 0
    /// Whether fields of the current record are left out that have what a reader starts with.
    private var omitsDefaults = false
    /// True when the record that ended last had no fields.
    private var wasEmpty = false
    private var fields: [Field] = []
    private var scratch: [UInt8] = []

    /// A field of a record that is being written: its name and where its key starts.
    private struct Field: Sendable {
        let name: StaticString
        let start: Int
    }

    /// Where a record started.
    struct Mark {
        fileprivate let byte: Int
        fileprivate let field: Int
        fileprivate let enclosingCount: UInt16
        fileprivate let enclosingOmits: Bool
    }

    package init(canonical: Bool = true) {
        isCanonical = canonical
        sink = ByteSink()
        sink.reserve(512)
        if isCanonical { fields.reserveCapacity(48) }
    }

    /// A writer whose first bytes are those of `output`, which it takes.
    init(canonical: Bool, continuing output: inout [UInt8]) {
        isCanonical = canonical
        sink = ByteSink(continuing: &output)
        if isCanonical { fields.reserveCapacity(48) }
    }

    /// The bytes so far, copied.
    package var bytes: [UInt8] {
        sink.bytes
    }

    /// The bytes, without a copy; the writer is empty afterwards.
    package mutating func take() -> [UInt8] {
        sink.take()
    }

    /// How many bytes there are so far.
    package var count: Int { sink.count }

    /// Lends the bytes so far.
    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try sink.withBytes(body)
    }

    /// Forgets the bytes so far and keeps their memory.
    package mutating func removeAll() {
        sink.removeAll()
    }

    /// Appends one byte that is not MessagePack, such as the type in front of a record.
    package mutating func byte(_ value: UInt8) {
        sink.append(value)
    }

    /// Appends bytes that are MessagePack already.
    package mutating func verbatim(_ bytes: UnsafeRawBufferPointer) {
        sink.append(bytes.assumingMemoryBound(to: UInt8.self))
    }

    /// Raw bytes that need not be UTF-8; as `string`.
    package mutating func raw(_ bytes: UnsafeRawBufferPointer) {
        rawHeader(bytes.count)
        verbatim(bytes)
    }

    package mutating func null() {
        sink.append(0xC0)
    }

    package mutating func bool(_ value: Bool) {
        sink.append(value ? 0xC3 : 0xC2)
    }

    package mutating func integer(_ value: Int64) {
        switch value {
        case 0...: unsigned(UInt64(value))
        case (-32)...: sink.append(UInt8(bitPattern: Int8(value)))
        case Int64(Int8.min)...:
            sink.append(0xD0)
            sink.append(UInt8(bitPattern: Int8(value)))
        case Int64(Int16.min)...:
            sink.append(0xD1)
            append(UInt16(bitPattern: Int16(value)))
        case Int64(Int32.min)...:
            sink.append(0xD2)
            append(UInt32(bitPattern: Int32(value)))
        default:
            sink.append(0xD3)
            append(UInt64(bitPattern: value))
        }
    }

    package mutating func unsigned(_ value: UInt64) {
        switch value {
        case 0..<0x80: sink.append(UInt8(value))
        case 0x80...0xFF:
            sink.append(0xCC)
            sink.append(UInt8(value))
        case 0x100...0xFFFF:
            sink.append(0xCD)
            append(UInt16(value))
        case 0x1_0000...0xFFFF_FFFF:
            sink.append(0xCE)
            append(UInt32(value))
        default:
            sink.append(0xCF)
            append(value)
        }
    }

    package mutating func double(_ value: Double) {
        sink.append(0xCB)
        append(value.bitPattern)
    }

    package mutating func string(_ value: String) {
        var value = value
        value.withUTF8 { text in
            if let base = text.baseAddress, text.count < 32 {
                short(base, text.count)
            } else {
                rawHeader(text.count)
                sink.append(text)
            }
        }
    }

    /// The key of a field.
    package mutating func name(_ name: StaticString) {
        if name.utf8CodeUnitCount < 32 {
            short(name.utf8Start, name.utf8CodeUnitCount)
        } else {
            rawHeader(name.utf8CodeUnitCount)
            sink.append(name)
        }
    }

    package mutating func raw(_ value: [UInt8]) {
        rawHeader(value.count)
        sink.append(value)
    }

    /// A moment as Go's binary form of `time.Time` in UTC; nil is Go's zero time.
    ///
    /// ```
    /// af | 01 | seconds since 0001-01-01 (8, big-endian) | nanoseconds (4) | ff ff
    /// ```
    /// - Source: RPC sheet §3.7.
    package mutating func time(nanosecondsSinceEpoch: UInt64?) {
        sink.append(0xAF)
        sink.append(0x01)
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
            sink.append(short | UInt8(count))
        } else if count <= 0xFFFF {
            sink.append(wide)
            append(UInt16(count))
        } else {
            sink.append(wide + 1)
            append(UInt32(count))
        }
    }

    /// Raw bytes of which there are less than 32.
    @inline(__always)
    private mutating func short(_ start: UnsafePointer<UInt8>, _ length: Int) {
        sink.write(atMost: length + 1) { target in
            target[0] = 0xA0 | UInt8(truncatingIfNeeded: length)
            (target + 1).update(from: start, count: length)
            return length + 1
        }
    }

    private mutating func rawHeader(_ count: Int) {
        if count < 32 {
            sink.append(0xA0 | UInt8(count))
        } else if count <= 0xFFFF {
            sink.append(0xDA)
            append(UInt16(count))
        } else {
            sink.append(0xDB)
            append(UInt32(count))
        }
    }

    private mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        sink.append(bigEndian: value)
    }
}

extension MessagePackWriter {
    mutating func beginRecord(startsAtZero: Bool) -> Mark {
        let mark = Mark(
            byte: sink.count,
            field: fields.count,
            enclosingCount: fieldCount,
            enclosingOmits: omitsDefaults
        )
        if !isCanonical {
            omitsDefaults = startsAtZero
            // The count is not known yet: a wide header, filled in at the end.
            sink.append(0xDE)
            append(UInt16(0))
            fieldCount = 0
        }
        return mark
    }

    /// Puts the fields since `mark` in the order of their names, behind the header of a map.
    mutating func endRecord(_ mark: Mark) {
        guard isCanonical else {
            sink.replace(at: mark.byte + 1, bigEndian: fieldCount)
            wasEmpty = fieldCount == 0
            fieldCount = mark.enclosingCount
            omitsDefaults = mark.enclosingOmits
            return
        }
        let count = fields.count - mark.field
        sink.cut(from: mark.byte, into: &scratch)
        beginMap(count: count)
        withUnsafeTemporaryAllocation(of: Int.self, capacity: count) { order in
            sort(from: mark.field, into: order)
            scratch.withUnsafeBufferPointer { old in
                for index in order {
                    let isLast = index + 1 == fields.count
                    let start = fields[index].start - mark.byte
                    let stop = isLast ? old.count : fields[index + 1].start - mark.byte
                    sink.append(UnsafeBufferPointer(rebasing: old[start..<stop]))
                }
            }
        }
        fields.removeSubrange(mark.field...)
    }

    /// Insertion sort: records have at most thirty fields, most of them in order already.
    private func sort(from first: Int, into order: UnsafeMutableBufferPointer<Int>) {
        for index in first..<fields.count {
            var position = index - first
            while position > 0, precedes(fields[index].name, fields[order[position - 1]].name) {
                order[position] = order[position - 1]
                position -= 1
            }
            order[position] = index
        }
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
        if omitsDefaults, value.isDefault { return }
        let start = sink.count
        if isCanonical {
            fields.append(Field(name: name, start: start))
        } else {
            fieldCount += 1
        }
        self.name(name)
        value.visitPack(&self)
        if Value.isRecord, omitsDefaults, wasEmpty {
            sink.removeAll(from: start)
            fieldCount -= 1
        }
    }
}

/// Go's count of seconds, from the year 1.
enum GoTime {
    /// The seconds between 0001-01-01 and 1970-01-01.
    static let epochSeconds: UInt64 = 62_135_596_800
}
