package import Model
import Wire

/// Cuts a stream of bytes into records; it holds one record and what came with its end.
///
/// It knows nothing of what is in a record: a restore, an inspection and a dump share it.
package struct RecordFramer {
    /// One record, lent while it is handled.
    package struct Frame {
        package let type: RecordType
        /// The MessagePack value behind the type.
        package let value: UnsafeBufferPointer<UInt8>
        /// Where the record's type is, in bytes from the start of the stream.
        package let offset: Int
    }

    /// The index in the stream's header; nil before it was read.
    package private(set) var lastIndex: LogIndex?

    /// What came and is not part of a whole record yet.
    private var pending: [UInt8] = []
    /// Where `pending` starts, in bytes from the start of the stream.
    private var offset = 0
    /// Nothing is looked for before `pending` is so long.
    private var wanted = 1

    package init() {}

    /// Takes the next bytes of the stream and hands on each record that is whole.
    package mutating func consume(
        _ bytes: UnsafeRawBufferPointer,
        _ handle: (Frame) throws(StateStreamError) -> Void
    ) throws(StateStreamError) {
        guard pending.isEmpty else {
            pending.append(contentsOf: bytes)
            guard pending.count >= wanted else { return }
            let all = pending
            pending = []
            try all.withUnsafeBufferPointer { (all) throws(StateStreamError) in
                try take(UnsafeRawBufferPointer(all), handle)
            }
            return
        }
        try take(bytes, handle)
    }

    /// Ends the stream, which must end with a record; hands on what is left of it.
    package mutating func finish(
        _ handle: (Frame) throws(StateStreamError) -> Void
    ) throws(StateStreamError) {
        let rest = pending
        pending = []
        try rest.withUnsafeBufferPointer { (rest) throws(StateStreamError) in
            try take(UnsafeRawBufferPointer(rest), handle)
        }
        guard lastIndex != nil else {
            throw StateStreamError(.truncated, at: offset, "the stream ends before its header")
        }
        guard pending.isEmpty else {
            throw StateStreamError(.truncated, at: offset, "the stream ends inside a record")
        }
    }

    private mutating func take(
        _ bytes: UnsafeRawBufferPointer,
        _ handle: (Frame) throws(StateStreamError) -> Void
    ) throws(StateStreamError) {
        let bytes = bytes.bindMemory(to: UInt8.self)
        var place = 0
        while place < bytes.count {
            guard let end = try end(ofRecordAt: place, in: bytes) else { break }
            if lastIndex == nil {
                try readHeader(UnsafeBufferPointer(rebasing: bytes[place..<end]))
            } else {
                let frame = Frame(
                    type: RecordType(rawValue: bytes[place]),
                    value: UnsafeBufferPointer(rebasing: bytes[(place + 1)..<end]),
                    offset: offset + place
                )
                try handle(frame)
            }
            place = end
        }
        offset += place
        pending = Array(bytes[place...])
    }

    /// Where the record ends, or nil while its end has not come.
    private mutating func end(
        ofRecordAt place: Int,
        in bytes: UnsafeBufferPointer<UInt8>
    ) throws(StateStreamError) -> Int? {
        let isHeader = lastIndex == nil
        let start = offset + place
        if !isHeader {
            let type = RecordType(rawValue: bytes[place])
            guard type.place != nil else { throw Self.unknown(type, at: start) }
        }
        let outcome: MessagePackScan.Outcome
        do throws(WireError) {
            outcome = try MessagePackScan.end(ofValueAt: isHeader ? place : place + 1, in: bytes)
        } catch {
            throw StateStreamError(.malformed, at: start, error.message)
        }
        switch outcome {
        case .end(let end):
            wanted = 1
            try Self.check(end - place, at: start)
            return end
        case .incomplete(let atLeast):
            let needed = atLeast + (isHeader ? 0 : 1)
            try Self.check(needed, at: start)
            // At least half as much again: a long record is not looked through for every piece.
            let have = bytes.count - place
            wanted = max(needed, have + have / 2)
            return nil
        }
    }

    private static func check(_ size: Int, at offset: Int) throws(StateStreamError) {
        guard size <= StateStreamLimits.recordBytes else {
            let limit = StateStreamLimits.recordBytes
            throw StateStreamError(
                .limit,
                at: offset,
                "a record of at least \(size) bytes, more than the limit of \(limit)"
            )
        }
    }

    private static func unknown(_ type: RecordType, at offset: Int) -> StateStreamError {
        let name = type.name.map { " (\($0))" } ?? ""
        return StateStreamError(
            .unknownType,
            at: offset,
            "records of type \(type.rawValue)\(name) are not known here; "
                + "restore it with the program and version that wrote it"
        )
    }

    private mutating func readHeader(
        _ bytes: UnsafeBufferPointer<UInt8>
    ) throws(StateStreamError) {
        do throws(WireError) {
            var reader = MessagePackReader(bytes)
            var header = StreamHeader()
            try header.readPack(&reader)
            lastIndex = LogIndex(rawValue: header.lastIndex)
        } catch {
            throw StateStreamError(.malformed, at: 0, "no header: \(error.message)")
        }
    }
}

/// What a stream starts with.
private struct StreamHeader: WireRecord {
    var lastIndex: UInt64 = 0

    static var goType: String { "fsm.snapshotHeader" }
    static var unknownKeys: UnknownKeys { .ignored }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("LastIndex", &lastIndex)
    }
}
