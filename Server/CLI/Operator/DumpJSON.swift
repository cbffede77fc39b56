import Model
import Raft
import Wire
import WriteAheadLog

/// What a log holds, as JSON objects.
///
/// Ids are texts of hexadecimal digits; `Kind` tells the objects apart.
enum DumpJSON {
    static func encode(_ item: DumpItem) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        switch item {
        case .segment(let segment): write(segment, to: &writer)
        case .record(let record, let offset, let batch, let isLast):
            write(record, to: &writer)
            writer.key("Offset")
            writer.integer(offset)
            writer.key("Batch")
            writer.unsigned(batch)
            writer.key("LastOfBatch")
            writer.bool(isLast)
        case .damage(let damage):
            kind("damage", to: &writer)
            writer.key("File")
            writer.string(damage.file)
            writer.key("Offset")
            writer.integer(damage.offset)
            writer.key("Reason")
            writer.string(damage.reason)
        }
        writer.endObject()
        return writer.bytes
    }

    private static func write(_ segment: DumpSegment, to writer: inout JSONWriter) {
        kind("segment", to: &writer)
        writer.key("File")
        writer.string(segment.file)
        writer.key("Cluster")
        writer.string(String(segment.identity.cluster, radix: 16))
        writer.key("Server")
        writer.string(String(segment.identity.server.rawValue, radix: 16))
        writer.key("FirstBatch")
        writer.unsigned(segment.firstBatch)
        writer.key("Opened")
        writer.unsigned(segment.opened)
        write(segment.state, to: &writer)
        write(segment.base, "BaseIndex", "BaseTerm", to: &writer)
        write(segment.last, "LastIndex", "LastTerm", to: &writer)
    }

    private static func write(_ record: LogRecord, to writer: inout JSONWriter) {
        switch record {
        case .entry(let entry):
            kind("entry", to: &writer)
            write(
                LogPosition(index: entry.index, term: entry.term),
                "Index",
                "Term",
                to: &writer
            )
            writer.key("Type")
            writer.integer(Int(entry.type))
            writer.key("PayloadBytes")
            writer.integer(entry.payload.count)
        case .state(let state):
            kind("state", to: &writer)
            write(state, to: &writer)
        case .truncate(let position):
            kind("truncate", to: &writer)
            write(position, "Index", "Term", to: &writer)
        case .compact(let position):
            kind("compact", to: &writer)
            write(position, "Index", "Term", to: &writer)
        case .reset(let position):
            kind("reset", to: &writer)
            write(position, "Index", "Term", to: &writer)
        case .opened(let count, let number):
            kind("opened", to: &writer)
            writer.key("Opened")
            writer.unsigned(count)
            writer.key("Number")
            writer.string(String(number, radix: 16))
        case .closed:
            kind("closed", to: &writer)
        }
    }

    private static func kind(_ name: String, to writer: inout JSONWriter) {
        writer.key("Kind")
        writer.string(name)
    }

    private static func write(
        _ position: LogPosition,
        _ index: String,
        _ term: String,
        to writer: inout JSONWriter
    ) {
        writer.key(index)
        writer.unsigned(position.index.rawValue)
        writer.key(term)
        writer.unsigned(position.term.rawValue)
    }

    private static func write(_ state: DurableState, to writer: inout JSONWriter) {
        writer.key("CurrentTerm")
        writer.unsigned(state.term.rawValue)
        writer.key("VotedFor")
        if let vote = state.votedFor {
            writer.string(String(vote.rawValue, radix: 16))
        } else {
            writer.null()
        }
        writer.key("CommitIndex")
        writer.unsigned(state.commit.rawValue)
    }
}
