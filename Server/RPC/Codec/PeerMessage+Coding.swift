import Model
package import Raft

/// The bodies of messages; `| name:size |`, a blob is its length in 4 bytes and its bytes, a text
/// its length in 2 bytes and UTF-8.
///
///     forward          | count:4 | count × (number:8 | start:8 | floor:8 | payload:blob) |
///     forwardRefused   | count:4 | count × (number:8 | reason:1) |
///     standing         | term:8 | kept:8 |
///     request          | id:8 | kind:2 | body: the rest |
///     response         | id:8 | failed:1 | failure:text | body: the rest |
///
/// The others are in `RaftMessage+Coding.swift`.
extension PeerMessage {
    /// Adds the message as one frame.
    package func encode(into writer: inout PeerWriter) {
        switch self {
        case .raft(let message):
            writer.frame(message.frameKind) { message.encodeBody(into: &$0) }
        case .forward(let writes):
            writer.frame(.forward) { writer in
                writer.number(UInt32(writes.count))
                for write in writes { write.encode(into: &writer) }
            }
        case .forwardRefused(let writes):
            writer.frame(.forwardRefused) { writer in
                writer.number(UInt32(writes.count))
                for write in writes {
                    writer.number(write.number)
                    writer.number(write.reason)
                }
            }
        case .standing(let term, let kept):
            writer.frame(.standing) { writer in
                writer.number(term.rawValue)
                writer.number(kept.rawValue)
            }
        case .request(let id, let kind, let body):
            writer.frame(.request) { writer in
                writer.number(id)
                writer.number(kind)
                writer.rest(body)
            }
        case .response(let id, let failure, let body):
            writer.frame(.response) { writer in
                writer.number(id)
                writer.flag(failure != nil)
                writer.text(failure ?? "")
                writer.rest(body)
            }
        }
    }

    /// The least bytes that a message's frame takes without its head, without encoding it.
    ///
    /// What a limit is compared with before the work of encoding is spent.
    var leastBytes: Int {
        switch self {
        case .raft(let message):
            guard case .append(let append) = message.body else { return 0 }
            return append.entries.reduce(0) { sum, entry in
                guard case .command(let payload) = entry.body else { return sum }
                return sum + payload.count
            }
        case .forward(let writes): return writes.reduce(0) { $0 + $1.payload.count }
        case .forwardRefused, .standing: return 0
        case .request(_, _, let body), .response(_, _, let body): return body.count
        }
    }

    /// Reads the message of a frame that travelled from one server to another.
    static func decode(
        _ kind: Frame.Kind,
        _ reader: inout PeerReader,
        from: NodeID,
        to: NodeID
    ) throws(PeerCodecError) -> PeerMessage {
        switch kind {
        case .forward:
            let count = try reader.count(ofAtLeast: ForwardedWrite.leastBytes, "forwarded writes")
            var writes: [ForwardedWrite] = []
            writes.reserveCapacity(count)
            for _ in 0..<count { writes.append(try ForwardedWrite(from: &reader)) }
            return .forward(writes)
        case .forwardRefused:
            let count = try reader.count(ofAtLeast: 9, "refused writes")
            var writes: [RefusedWrite] = []
            writes.reserveCapacity(count)
            for _ in 0..<count {
                let number = try reader.number(as: UInt64.self)
                writes.append(RefusedWrite(number: number, reason: try reader.number()))
            }
            return .forwardRefused(writes)
        case .standing:
            let term = Term(rawValue: try reader.number())
            return .standing(term, kept: LogIndex(rawValue: try reader.number()))
        case .request:
            let id = try reader.number(as: UInt64.self)
            let kind = try reader.number(as: UInt16.self)
            return .request(id: id, kind: kind, body: try reader.rest())
        case .response:
            let id = try reader.number(as: UInt64.self)
            let failed = try reader.flag()
            let failure = try reader.text()
            return .response(id: id, failure: failed ? failure : nil, body: try reader.rest())
        default:
            let term = Term(rawValue: try reader.number())
            let body = try RaftMessage.Body.decode(kind, &reader)
            return .raft(RaftMessage(from: from, to: to, term: term, body: body))
        }
    }
}

extension PeerMessage {
    /// Reads one whole frame that holds a message.
    ///
    /// For a network that is not this transport, a simulated one for example.
    package static func decode(
        frame: [UInt8],
        from: NodeID,
        to: NodeID
    ) throws(PeerCodecError) -> PeerMessage {
        let result = frame.withUnsafeBytes { bytes -> Result<PeerMessage, PeerCodecError> in
            do throws(PeerCodecError) {
                guard try Frame.extent(of: bytes, limit: .max) == .bytes(bytes.count) else {
                    throw .truncated
                }
                var (kind, reader) = try Frame.open(bytes)
                let message = try decode(kind, &reader, from: from, to: to)
                try reader.finish()
                return .success(message)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

extension ForwardedWrite {
    static let leastBytes = 28

    func encode(into writer: inout PeerWriter) {
        writer.number(number)
        writer.number(start)
        writer.number(floor)
        writer.blob(payload)
    }

    init(from reader: inout PeerReader) throws(PeerCodecError) {
        number = try reader.number()
        start = try reader.number()
        floor = try reader.number()
        payload = try reader.blob()
    }
}
