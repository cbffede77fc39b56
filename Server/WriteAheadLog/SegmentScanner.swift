/// Reads a segment's records in order and judges them; changes nothing.
struct SegmentScanner<Disk: Storage> {
    /// What lies at an offset.
    enum Finding {
        case record(FramedRecord)
        /// Zeros, as set aside.
        case blank
        /// No room for a record.
        case end
        case damaged(String)
    }

    private let disk: Disk
    private let file: StorageFile
    private let seed: UInt32
    let sizeBytes: Int
    private let readBytes: Int
    private var window: [UInt8] = []
    private var windowStart = 0

    init(
        _ disk: Disk,
        file: StorageFile,
        seed: UInt32,
        sizeBytes: Int,
        readBytes: Int
    ) {
        self.disk = disk
        self.file = file
        self.seed = seed
        self.sizeBytes = sizeBytes
        self.readBytes = readBytes
    }

    /// Judges what lies at `offset`.
    mutating func record(at offset: Int) throws(StorageFailure) -> Finding {
        guard offset + RecordHead.sizeBytes <= sizeBytes else { return .end }
        guard try hold(offset, RecordHead.sizeBytes) else { return .damaged("the file is cut off") }
        let start = offset - windowStart
        guard let head = RecordHead(window, at: start) else {
            let bytes = window[start..<(start + RecordHead.sizeBytes)]
            return bytes.allSatisfy { $0 == 0 } ? .blank : .damaged("no record begins here")
        }
        let length = head.recordBytes
        guard length <= sizeBytes - offset else {
            return .damaged("a record of \(length) bytes does not fit into the segment")
        }
        guard try hold(offset, length) else { return .damaged("the file is cut off") }
        let local = offset - windowStart
        let whole = window[local..<(local + length)]
        guard RecordHead.checksum(of: whole, at: offset, seed: seed) == head.checksum else {
            return .damaged("a record fails its checksum")
        }
        guard let record = LogRecord.decode(head, in: window, at: local) else {
            return .damaged("a record of kind \(head.kind) with a body of another")
        }
        return .record(FramedRecord(head: head, record: record, offset: offset))
    }

    /// Makes `count` bytes from `offset` on available in the window; false past the file's end.
    private mutating func hold(_ offset: Int, _ count: Int) throws(StorageFailure) -> Bool {
        if offset >= windowStart, offset + count <= windowStart + window.count { return true }
        let wanted = min(max(count, readBytes), sizeBytes - offset)
        window = try disk.read(file, at: offset, count: wanted)
        windowStart = offset
        return window.count >= count
    }

    /// What lies behind the end of the accepted records.
    struct Rest {
        /// A valid record of a batch after the given one: that one was on disk before it.
        var laterRecord: Int?
        /// The end of the last byte that is not zero; nil when all are.
        var endOfBytes: Int?
    }

    /// Looks through everything from `offset` on for records of batches after `batch`.
    mutating func rest(from offset: Int, after batch: UInt64) throws(StorageFailure) -> Rest {
        var rest = Rest()
        var at = offset
        while at < sizeBytes {
            let chunk = try disk.read(file, at: at, count: min(readBytes / 8 * 8, sizeBytes - at))
            guard !chunk.isEmpty else { break }
            if !Self.isBlank(chunk), let last = chunk.lastIndex(where: { $0 != 0 }) {
                rest.endOfBytes = at + last + 1
                for place in stride(from: 0, through: last, by: 8)
                where try isRecord(at: at + place, within: chunk, place, after: batch) {
                    rest.laterRecord = at + place
                    return rest
                }
            }
            at += chunk.count
        }
        return rest
    }

    /// Whether all bytes are zero, eight at a time: most of a fresh segment is nothing else.
    private static func isBlank(_ chunk: [UInt8]) -> Bool {
        chunk.withUnsafeBytes { bytes in
            var place = 0
            while place + 8 <= bytes.count {
                let word = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                guard word == 0 else { return false }
                place += 8
            }
            return bytes[place...].allSatisfy { $0 == 0 }
        }
    }

    private mutating func isRecord(
        at offset: Int,
        within chunk: [UInt8],
        _ place: Int,
        after batch: UInt64
    ) throws(StorageFailure) -> Bool {
        // Most places are dismissed by their head, without a checksum.
        if place + RecordHead.sizeBytes <= chunk.count {
            guard let head = RecordHead(chunk, at: place), head.batch > batch else { return false }
        }
        guard case .record(let found) = try record(at: offset) else { return false }
        return found.head.batch > batch
    }
}

/// A record whose checksum holds, and where it lies.
struct FramedRecord {
    var head: RecordHead
    var record: LogRecord
    var offset: Int

    var end: Int { offset + head.recordBytes }
}
