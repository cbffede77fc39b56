package import Model

/// Names a request for good: which start of which server made it, and as which one.
///
/// - Source: Raft dissertation §6.3, exactly-once semantics by client sessions.
package struct RequestID: Hashable, Sendable {
    /// The server's id in 128 bits.
    package var origin: UInt128
    /// Which start of that server: drawn at random by each, which begins its numbers anew.
    ///
    /// No count, because a server that lost its disk could not go on counting.
    package var start: UInt64
    /// Counts up from 1 within one start.
    package var number: UInt64

    package init(origin: UInt128, start: UInt64, number: UInt64) {
        self.origin = origin
        self.start = start
        self.number = number
    }
}

/// What the bytes behind an entry's header are.
package enum EntryKind: UInt8, Hashable, Sendable {
    /// A command in Consul's encoding, see `CommandCoding`.
    case command = 0
    /// A user's archive is about to come: its length in bytes, 8 bytes little endian.
    case restoreBegin = 1
    /// The number of the request that began, 8 bytes, and the next bytes of the archive.
    case restoreChunk = 2
    /// The archive is complete and takes effect here: the number of the request that began.
    case restoreCommit = 3
}

/// The head of every entry that the state machine is given.
///
/// ```
/// | kind 1 | stamp 8 | origin 16 | start 8 | number 8 | resolved 8 | body … |   little endian
/// ```
package struct EntryHeader: Hashable, Sendable {
    package var kind: EntryKind
    /// The leader's wall clock when it took the entry.
    package var stamp: Timestamp
    package var request: RequestID
    /// Requests of the same start with lower numbers are never sent again.
    package var resolved: UInt64

    /// The length of the head in bytes.
    package static let sizeBytes = 49
    private static let stampOffset = 1
    private static let originOffset = 9
    private static let startOffset = 25
    private static let numberOffset = 33
    private static let resolvedOffset = 41

    package init(kind: EntryKind, stamp: Timestamp, request: RequestID, resolved: UInt64) {
        self.kind = kind
        self.stamp = stamp
        self.request = request
        self.resolved = resolved
    }

    /// Reads the head of an entry; nil when it is too short or of an unknown kind.
    package init?(_ entry: [UInt8]) {
        guard entry.count >= EntryHeader.sizeBytes, let kind = EntryKind(rawValue: entry[0]) else {
            return nil
        }
        self.kind = kind
        stamp = Timestamp(nanosecondsSinceEpoch: entry.number(at: EntryHeader.stampOffset))
        let low: UInt64 = entry.number(at: EntryHeader.originOffset)
        let high: UInt64 = entry.number(at: EntryHeader.originOffset + 8)
        request = RequestID(
            origin: UInt128(high) << 64 | UInt128(low),
            start: entry.number(at: EntryHeader.startOffset),
            number: entry.number(at: EntryHeader.numberOffset)
        )
        resolved = entry.number(at: EntryHeader.resolvedOffset)
    }

    /// Writes the head over the first `sizeBytes` bytes of an entry.
    package func write(over entry: inout [UInt8]) {
        precondition(entry.count >= EntryHeader.sizeBytes, "an entry without room for its head")
        entry[0] = kind.rawValue
        entry.store(stamp.nanosecondsSinceEpoch, at: EntryHeader.stampOffset)
        entry.store(
            UInt64(truncatingIfNeeded: request.origin),
            at: EntryHeader.originOffset
        )
        entry.store(
            UInt64(truncatingIfNeeded: request.origin >> 64),
            at: EntryHeader.originOffset + 8
        )
        entry.store(request.start, at: EntryHeader.startOffset)
        entry.store(request.number, at: EntryHeader.numberOffset)
        entry.store(resolved, at: EntryHeader.resolvedOffset)
    }

    /// Replaces the time of an entry that another server proposed by the leader's.
    package static func restamp(_ entry: inout [UInt8], _ stamp: Timestamp) {
        guard entry.count >= sizeBytes else { return }
        entry.store(stamp.nanosecondsSinceEpoch, at: stampOffset)
    }
}

extension [UInt8] {
    func number(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset + 8 <= count, "a number behind the end")
        return withUnsafeBytes {
            UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
    }

    mutating func store(_ number: UInt64, at offset: Int) {
        precondition(offset >= 0 && offset + 8 <= count, "a number behind the end")
        withUnsafeMutableBytes {
            $0.storeBytes(of: number.littleEndian, toByteOffset: offset, as: UInt64.self)
        }
    }

    mutating func append(number: UInt64) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }
}
