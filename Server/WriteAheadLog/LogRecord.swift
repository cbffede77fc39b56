import Checksums
import Model
package import Raft

/// One change of the log, as it is written.
package enum LogRecord: Hashable, Sendable {
    case entry(LogEntry)
    case state(DurableState)
    /// The entries after this one are no more.
    case truncate(after: LogPosition)
    /// The entries up to here are no longer needed.
    case compact(through: LogPosition)
    /// All entries are no more; the log goes on behind this position.
    case reset(to: LogPosition)
    /// The log was opened for this time, counted from 1, and drew a number.
    case opened(count: UInt64, number: UInt128)
    /// The log was closed in order.
    case closed
}

/// What stands before each record's body.
///
/// A record starts at a multiple of 8 and is filled up with zeros to one. Numbers are
/// little-endian.
///
///     offset  size
///          0     4  CRC-32C of: the segment's seed, the record's offset in the file (8 bytes),
///                   everything below, the body and the zeros that fill it up
///          4     4  length of the body
///          8     1  kind
///          9     1  flags: 1 when the record is the last of its batch
///         10     1  tag: the type of an entry, otherwise 0
///         11     1  zero
///         12     4  place within the batch, from 0
///         16     8  number of the batch
///         24        body
///
/// The seed is the CRC-32C of the segment's number, going on from the header's checksum: a record
/// of another cluster, server, segment or place never verifies.
struct RecordHead: Hashable {
    static let sizeBytes = 24
    static let lastOfBatch: UInt8 = 1

    var checksum: UInt32
    var bodyBytes: Int
    var kind: UInt8
    var flags: UInt8
    var tag: UInt8
    var ordinal: UInt32
    var batch: UInt64

    /// Reads a head at `offset`; nil when no writer writes such a head.
    init?(_ bytes: [UInt8], at offset: Int) {
        checksum = bytes.number(at: offset)
        bodyBytes = Int(bytes.number(at: offset + 4, as: UInt32.self))
        kind = bytes[offset + 8]
        flags = bytes[offset + 9]
        tag = bytes[offset + 10]
        ordinal = bytes.number(at: offset + 12)
        batch = bytes.number(at: offset + 16)
        guard flags <= 1, bytes[offset + 11] == 0, (1...LogRecord.greatestKind).contains(kind)
        else { return nil }
    }

    /// Length of the whole record in bytes.
    var recordBytes: Int { Self.sizeBytes + (bodyBytes + 7) / 8 * 8 }

    /// The checksum that a record at `offset` of the file must have.
    ///
    /// `record` is all of it; its first four bytes do not count.
    static func checksum(of record: ArraySlice<UInt8>, at offset: Int, seed: UInt32) -> UInt32 {
        let placed = CRC32C.checksum(of: UInt64(offset), from: seed)
        return record.dropFirst(4).withUnsafeBytes { CRC32C.checksum($0, from: placed) }
    }
}

/// The body of an entry.
///
///     offset  size
///          0     8  index
///          8     8  term
///         16     8  time, in nanoseconds since 1970
///         24        payload
enum EntryBody {
    static let headBytes = 24
}

/// The other bodies: a state is term (8), commit index (8), vote (16), whether there is one (8);
/// a position is index (8) and term (8); an opening is its count (8) and number (16); the end has
/// nothing.
extension LogRecord {
    static let greatestKind: UInt8 = 7

    var kind: UInt8 {
        switch self {
        case .entry: 1
        case .state: 2
        case .truncate: 3
        case .compact: 4
        case .reset: 5
        case .opened: 6
        case .closed: 7
        }
    }

    /// Adds the record with its checksum left open: that depends on where it will lie.
    func encode(into bytes: inout [UInt8], ordinal: UInt32, batch: UInt64) {
        let start = bytes.count
        bytes.appendNumber(UInt32(0))
        bytes.appendNumber(UInt32(0))
        bytes.append(kind)
        bytes.append(0)
        if case .entry(let entry) = self { bytes.append(entry.type) } else { bytes.append(0) }
        bytes.append(0)
        bytes.appendNumber(ordinal)
        bytes.appendNumber(batch)
        encodeBody(into: &bytes)
        bytes.storeNumber(UInt32(bytes.count - start - RecordHead.sizeBytes), at: start + 4)
        while (bytes.count - start) % 8 != 0 { bytes.append(0) }
    }

    private func encodeBody(into bytes: inout [UInt8]) {
        switch self {
        case .entry(let entry):
            bytes.appendNumber(entry.index.rawValue)
            bytes.appendNumber(entry.term.rawValue)
            bytes.appendNumber(entry.timestamp.nanosecondsSinceEpoch)
            bytes.append(contentsOf: entry.payload)
        case .state(let state):
            bytes.appendNumber(state.term.rawValue)
            bytes.appendNumber(state.commit.rawValue)
            bytes.appendNumber(state.votedFor?.rawValue ?? 0)
            bytes.appendNumber(UInt64(state.votedFor == nil ? 0 : 1))
        case .truncate(let position), .compact(let position), .reset(let position):
            bytes.appendNumber(position.index.rawValue)
            bytes.appendNumber(position.term.rawValue)
        case .opened(let count, let number):
            bytes.appendNumber(count)
            bytes.appendNumber(number)
        case .closed:
            break
        }
    }

    /// Reads the record whose head is at `offset`; nil when the body does not fit its kind.
    static func decode(_ head: RecordHead, in bytes: [UInt8], at offset: Int) -> LogRecord? {
        let start = offset + RecordHead.sizeBytes
        func number(_ place: Int) -> UInt64 { bytes.number(at: start + 8 * place) }
        func index(_ place: Int) -> LogIndex { LogIndex(rawValue: number(place)) }
        func term(_ place: Int) -> Term { Term(rawValue: number(place)) }
        switch (head.kind, head.bodyBytes) {
        case (1, EntryBody.headBytes...):
            let payload = bytes[(start + EntryBody.headBytes)..<(start + head.bodyBytes)]
            return .entry(
                LogEntry(
                    index: index(0),
                    term: term(1),
                    type: head.tag,
                    timestamp: Timestamp(nanosecondsSinceEpoch: number(2)),
                    payload: Array(payload)
                )
            )
        case (2, 40):
            let vote = NodeID(rawValue: bytes.number(at: start + 16))
            return .state(
                DurableState(term: term(0), votedFor: number(4) == 1 ? vote : nil, commit: index(1))
            )
        case (3, 16): return .truncate(after: LogPosition(index: index(0), term: term(1)))
        case (4, 16): return .compact(through: LogPosition(index: index(0), term: term(1)))
        case (5, 16): return .reset(to: LogPosition(index: index(0), term: term(1)))
        case (6, 24):
            return .opened(count: number(0), number: bytes.number(at: start + 8))
        case (7, 0): return .closed
        default: return nil
        }
    }
}
