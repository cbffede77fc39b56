import Checksums

/// What stands before each message on a connection between servers.
///
/// Numbers are little-endian, here and in every body.
///
///     offset  size
///          0     4  length of what follows the checksum: kind and body
///          4     4  CRC-32C of kind and body
///          8     1  kind
///          9        body
package enum Frame {
    static let headBytes = 8

    /// What a frame carries; each number is used once and never again for something else.
    enum Kind: UInt8, CaseIterable {
        case hello = 1
        case accepted = 2
        case refused = 3
        case ping = 4
        case pong = 5
        case outdated = 6
        case preVoteRequest = 16
        case preVoteResponse = 17
        case voteRequest = 18
        case voteResponse = 19
        case append = 20
        case appendAccepted = 21
        case appendRejected = 22
        case heartbeat = 23
        case heartbeatResponse = 24
        case readRequest = 25
        case readResponse = 26
        case timeoutNow = 27
        case termNotice = 28
        case forward = 32
        case forwardRefused = 33
        case request = 34
        case response = 35
        case standing = 36
        case snapshotOffer = 48
        case snapshotResume = 49
        case snapshotRefused = 50
        case snapshotChunk = 51
        case snapshotProgress = 52
        case snapshotEnd = 53
        case snapshotDone = 54

        /// Whether the frame is one of a lane's messages.
        var isMessage: Bool { (16..<48).contains(rawValue) }

        /// Whether the frame belongs to a snapshot's connection.
        var isSnapshot: Bool { rawValue >= 48 }
    }

    /// Where the first frame of `bytes` ends.
    enum Extent: Hashable {
        /// Not known yet: the head is not complete.
        case unknown
        /// It has this many bytes with its head; they may not all be there.
        case bytes(Int)
    }

    /// Looks at the head of the first frame; throws when it announces more than `limit`.
    static func extent(
        of bytes: UnsafeRawBufferPointer,
        limit: Int
    ) throws(PeerCodecError) -> Extent {
        guard bytes.count >= headBytes else { return .unknown }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
        guard length >= 1 else { throw .truncated }
        guard length <= limit else {
            throw .tooLarge(what: "a frame", found: length, most: limit)
        }
        return .bytes(headBytes + length)
    }

    /// Checks a whole frame and gives its kind and the range of its body.
    static func open(_ frame: UnsafeRawBufferPointer) throws(PeerCodecError) -> (Kind, PeerReader) {
        guard frame.count > headBytes else { throw .truncated }
        let expected = UInt32(
            littleEndian: frame.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        )
        let found = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: frame[headBytes...]))
        guard expected == found else { throw .checksum(expected: expected, found: found) }
        guard let kind = Kind(rawValue: frame[headBytes]) else {
            throw .unknown(what: "kind of frame", found: Int(frame[headBytes]))
        }
        let body = UnsafeRawBufferPointer(rebasing: frame[(headBytes + 1)...])
        return (kind, PeerReader(body))
    }
}

extension PeerWriter {
    /// Adds one frame; `body` adds its body.
    mutating func frame(_ kind: Frame.Kind, _ body: (inout PeerWriter) -> Void) {
        let start = count
        number(UInt64(0))
        number(kind.rawValue)
        body(&self)
        let from = start + Frame.headBytes
        let checksum = bytes.withUnsafeBytes { all in
            CRC32C.checksum(UnsafeRawBufferPointer(rebasing: all[from...]))
        }
        overwrite(UInt32(count - from), at: start)
        overwrite(checksum, at: start + 4)
    }

    /// Adds a frame without a body.
    mutating func frame(_ kind: Frame.Kind) {
        frame(kind) { _ in }
    }
}
