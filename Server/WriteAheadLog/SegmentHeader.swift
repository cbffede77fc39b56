import Checksums
import Model
import Raft

/// What a segment file says about itself: its owner, its place, and the state as it began.
///
/// The state makes every older segment dispensable but for its entries. Numbers are little-endian.
///
///     offset  size
///          0     8  magic "MUSTRWAL"
///          8     4  format version
///         12     4  length of this header
///         16    16  cluster id; 0 before the server has joined one
///         32    16  server id
///         48     8  segment number, from 1, never used again
///         56     8  length of the segment file, as it was set aside
///         64     8  number of the first batch
///         72     8  index of the first entry that would be added here
///         80     8  term of the entry before that
///         88     8  index of the last compacted entry
///         96     8  term of that entry
///        104     8  current term
///        112     8  commit index
///        120    16  vote
///        136     8  times the log was opened
///        144     1  1 when there is a vote, 0 otherwise
///        145     1  how many numbers of openings follow, 16 at most
///        146     6  zero
///        152    16  number of the first opening
///        168   256  numbers of the last openings, newest first, then zeros
///        424     4  zero
///        428     4  CRC-32C of the 428 bytes before
///
/// Every version keeps magic, version, length, and the checksum in the last four bytes.
struct SegmentHeader: Hashable {
    static let sizeBytes = 432
    static let version: UInt32 = 2
    static let magic = [UInt8]("MUSTRWAL".utf8)
    /// The longest header that a later version may have, in bytes.
    static let greatestSizeBytes = 4096

    var identity: LogIdentity
    var segment: UInt64
    var segmentSizeBytes: Int
    var firstBatch: UInt64
    var shape: LogShape

    /// What stands for the header in the checksum of every record of the segment.
    var seed: UInt32 {
        Self.seed(checksum: encoded().number(at: Self.sizeBytes - 4), segment: segment)
    }

    func encoded() -> [UInt8] {
        var bytes = Self.magic
        bytes.reserveCapacity(Self.sizeBytes)
        bytes.appendNumber(Self.version)
        bytes.appendNumber(UInt32(Self.sizeBytes))
        bytes.appendNumber(identity.cluster)
        bytes.appendNumber(identity.server.rawValue)
        bytes.appendNumber(segment)
        bytes.appendNumber(UInt64(segmentSizeBytes))
        bytes.appendNumber(firstBatch)
        bytes.appendNumber(shape.last.index.next.rawValue)
        bytes.appendNumber(shape.last.term.rawValue)
        bytes.appendNumber(shape.base.index.rawValue)
        bytes.appendNumber(shape.base.term.rawValue)
        bytes.appendNumber(shape.state.term.rawValue)
        bytes.appendNumber(shape.state.commit.rawValue)
        bytes.appendNumber(shape.state.votedFor?.rawValue ?? 0)
        bytes.appendNumber(shape.openings.count)
        bytes.append(shape.state.votedFor == nil ? 0 : 1)
        bytes.append(UInt8(shape.openings.recent.count))
        bytes.append(contentsOf: [UInt8](repeating: 0, count: 6))
        bytes.appendNumber(shape.openings.birth)
        for number in shape.openings.recent { bytes.appendNumber(number) }
        bytes.append(contentsOf: [UInt8](repeating: 0, count: Self.sizeBytes - 4 - bytes.count))
        bytes.appendNumber(CRC32C.checksum(bytes))
        return bytes
    }

    /// Reads a header; `bytes` is the beginning of the file, up to `greatestSizeBytes`.
    static func decode(_ bytes: [UInt8]) throws(HeaderProblem) -> SegmentHeader {
        guard bytes.count >= 16, bytes.starts(with: magic) else {
            throw .damaged("the file does not begin as a log segment")
        }
        let length = Int(bytes.number(at: 12, as: UInt32.self))
        guard length >= 20, length <= min(greatestSizeBytes, bytes.count) else {
            throw .damaged("the header says that it has \(length) bytes")
        }
        let body = Array(bytes[..<(length - 4)])
        guard CRC32C.checksum(body) == bytes.number(at: length - 4) else {
            throw .damaged("the header fails its checksum")
        }
        let found: UInt32 = bytes.number(at: 8)
        guard found == version else { throw .version(found) }
        guard length == sizeBytes, let header = SegmentHeader(verified: bytes) else {
            throw .damaged("the header contradicts itself")
        }
        return header
    }

    private static func seed(checksum: UInt32, segment: UInt64) -> UInt32 {
        CRC32C.checksum(of: segment, from: checksum)
    }
}

/// Why a header was not accepted.
enum HeaderProblem: Error, Hashable {
    case damaged(String)
    case version(UInt32)
}

extension SegmentHeader {
    /// Reads the fields of a header whose checksum holds; nil when no correct writer wrote them.
    private init?(verified bytes: [UInt8]) {
        func index(_ offset: Int) -> LogIndex { LogIndex(rawValue: bytes.number(at: offset)) }
        func term(_ offset: Int) -> Term { Term(rawValue: bytes.number(at: offset)) }
        let size: UInt64 = bytes.number(at: 56)
        let first = index(72)
        guard size <= UInt32.max, size % 8 == 0, size > SegmentHeader.sizeBytes,
            first > .zero, bytes[144] <= 1, let openings = SegmentHeader.openings(bytes)
        else { return nil }
        identity = LogIdentity(
            cluster: bytes.number(at: 16),
            server: NodeID(rawValue: bytes.number(at: 32))
        )
        segment = bytes.number(at: 48)
        segmentSizeBytes = Int(size)
        firstBatch = bytes.number(at: 64)
        let last = LogPosition(index: LogIndex(rawValue: first.rawValue - 1), term: term(80))
        let vote = NodeID(rawValue: bytes.number(at: 120))
        shape = LogShape(
            state: DurableState(
                term: term(104),
                votedFor: bytes[144] == 1 ? vote : nil,
                commit: index(112)
            ),
            base: LogPosition(index: index(88), term: term(96)),
            last: last,
            openings: openings
        )
        guard shape.base.index <= last.index, segment > 0 else { return nil }
    }

    private static func openings(_ bytes: [UInt8]) -> Openings? {
        let known = Int(bytes[145])
        guard known <= Openings.limit, bytes[146..<152].allSatisfy({ $0 == 0 }),
            bytes[(168 + 16 * known)..<428].allSatisfy({ $0 == 0 })
        else { return nil }
        return Openings(
            count: bytes.number(at: 136),
            birth: bytes.number(at: 152),
            recent: (0..<known).map { bytes.number(at: 168 + 16 * $0) }
        )
    }
}
