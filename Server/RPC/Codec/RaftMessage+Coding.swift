import Model
import Raft

/// The bodies of the consensus core's messages; each begins with the term.
///
///     preVoteRequest      | term:8 | last index:8 | last term:8 |
///     preVoteResponse     | term:8 | granted:1 |
///     voteRequest         | term:8 | last index:8 | last term:8 | transfer:1 |
///     voteResponse        | term:8 | granted:1 |
///     append              | term:8 | previous index:8 | previous term:8 | commit:8 | count:4 |
///                         | count × entry |
///     appendAccepted      | term:8 | match:8 |
///     appendRejected      | term:8 | previous:8 | hint index:8 | hint term:8 |
///     heartbeat           | term:8 | round:8 | commit index:8 | commit term:8 |
///     heartbeatResponse   | term:8 | round:8 |
///     readRequest         | term:8 | id:8 |
///     readResponse        | term:8 | id:8 | known:1 | index:8 |
///     timeoutNow          | term:8 |
///     termNotice          | term:8 |
extension RaftMessage {
    var frameKind: Frame.Kind {
        switch body {
        case .preVoteRequest: .preVoteRequest
        case .preVoteResponse: .preVoteResponse
        case .voteRequest: .voteRequest
        case .voteResponse: .voteResponse
        case .append: .append
        case .appendResponse(.accepted): .appendAccepted
        case .appendResponse(.rejected): .appendRejected
        case .heartbeat: .heartbeat
        case .heartbeatResponse: .heartbeatResponse
        case .readRequest: .readRequest
        case .readResponse: .readResponse
        case .timeoutNow: .timeoutNow
        case .termNotice: .termNotice
        }
    }

    func encodeBody(into writer: inout PeerWriter) {
        writer.number(term.rawValue)
        switch body {
        case .preVoteRequest(let last):
            writer.position(last)
        case .voteRequest(let last, let isTransfer):
            writer.position(last)
            writer.flag(isTransfer)
        case .preVoteResponse(let granted), .voteResponse(let granted):
            writer.flag(granted)
        case .append(let append):
            append.encode(into: &writer)
        case .appendResponse(.accepted(let match)):
            writer.number(match.rawValue)
        case .appendResponse(.rejected(let previous, let hint)):
            writer.number(previous.rawValue)
            writer.position(hint)
        case .heartbeat(let round, let commit):
            writer.number(round)
            writer.position(commit)
        case .heartbeatResponse(let round):
            writer.number(round)
        case .readRequest(let id):
            writer.number(id)
        case .readResponse(let id, let index):
            writer.number(id)
            writer.flag(index != nil)
            writer.number(index?.rawValue ?? 0)
        case .timeoutNow, .termNotice:
            break
        }
    }
}

extension RaftMessage.Body {
    /// Reads what follows the term.
    static func decode(
        _ kind: Frame.Kind,
        _ reader: inout PeerReader
    ) throws(PeerCodecError) -> RaftMessage.Body {
        switch kind {
        case .preVoteRequest:
            return .preVoteRequest(last: try reader.position())
        case .preVoteResponse:
            return .preVoteResponse(granted: try reader.flag())
        case .voteRequest:
            let last = try reader.position()
            return .voteRequest(last: last, isTransfer: try reader.flag())
        case .voteResponse:
            return .voteResponse(granted: try reader.flag())
        case .append:
            return .append(try RaftMessage.Append(from: &reader))
        case .appendAccepted:
            return .appendResponse(.accepted(match: try reader.index()))
        case .appendRejected:
            let previous = try reader.index()
            return .appendResponse(.rejected(previous: previous, hint: try reader.position()))
        case .heartbeat:
            let round = try reader.number(as: UInt64.self)
            return .heartbeat(round: round, commit: try reader.position())
        case .heartbeatResponse:
            return .heartbeatResponse(round: try reader.number())
        case .readRequest:
            return .readRequest(id: try reader.number())
        case .readResponse:
            let id = try reader.number(as: UInt64.self)
            let known = try reader.flag()
            let index = try reader.index()
            return .readResponse(id: id, index: known ? index : nil)
        case .timeoutNow:
            return .timeoutNow
        case .termNotice:
            return .termNotice
        default:
            throw .unknown(what: "kind of message", found: Int(kind.rawValue))
        }
    }
}

extension RaftMessage.Append {
    func encode(into writer: inout PeerWriter) {
        writer.reserve(64 + entries.reduce(0) { $0 + $1.sizeBytes })
        writer.position(previous)
        writer.number(commit.rawValue)
        writer.number(UInt32(entries.count))
        for entry in entries { entry.encode(into: &writer) }
    }

    init(from reader: inout PeerReader) throws(PeerCodecError) {
        let previous = try reader.position()
        let commit = try reader.index()
        let count = try reader.count(ofAtLeast: Entry.leastBytes, "entries")
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        for _ in 0..<count { entries.append(try Entry(from: &reader)) }
        self.init(previous: previous, entries: entries, commit: commit)
    }
}

extension PeerWriter {
    mutating func position(_ position: LogPosition) {
        number(position.index.rawValue)
        number(position.term.rawValue)
    }
}

extension PeerReader {
    mutating func index() throws(PeerCodecError) -> LogIndex {
        LogIndex(rawValue: try number())
    }

    mutating func position() throws(PeerCodecError) -> LogPosition {
        let index = try index()
        return LogPosition(index: index, term: Term(rawValue: try number()))
    }
}
