import Model
import StateStore
import Wire

/// Looks into archives without building a store: for people and for scripts.
package enum SnapshotInspection {
    /// Reads a whole archive and checks every part of it; gives what it says about itself.
    ///
    /// `next` gives the next bytes, none at the end. What the records hold is not looked at.
    package static func verify(
        limits: SnapshotLimits = .init(),
        next: () throws(SnapshotError) -> [UInt8]
    ) throws(SnapshotError) -> SnapshotMetadata {
        try read(limits, next) { (_) throws(StateStreamError) in }
    }

    /// Writes each record of an archive as one line of JSON: `{"Type":…,"Data":…}`.
    ///
    /// Bytes that are no text have U+FFFD in their place; values of keys are base64, as in the
    /// HTTP API.
    package static func decode(
        limits: SnapshotLimits = .init(),
        from next: () throws(SnapshotError) -> [UInt8],
        _ line: ([UInt8]) -> Void
    ) throws(SnapshotError) {
        _ = try read(limits, next) { (frame) throws(StateStreamError) in
            do throws(WireError) {
                line(try RecordLine(frame).json)
            } catch {
                throw StateStreamError(.malformed, at: frame.offset, error.message)
            }
        }
    }

    private static func read(
        _ limits: SnapshotLimits,
        _ next: () throws(SnapshotError) -> [UInt8],
        _ handle: (RecordFramer.Frame) throws(StateStreamError) -> Void
    ) throws(SnapshotError) -> SnapshotMetadata {
        let archive = try ArchiveReader(limits: limits)
        var framer = RecordFramer()
        while true {
            let piece = try next()
            guard !piece.isEmpty else { break }
            try piece.withUnsafeBufferPointer { (piece) throws(SnapshotError) in
                let piece = UnsafeRawBufferPointer(piece)
                try archive.consume(piece) { (content) throws(SnapshotError) in
                    do throws(StateStreamError) {
                        try framer.consume(content, handle)
                    } catch {
                        throw .state(error)
                    }
                }
            }
        }
        let metadata = try archive.finish()
        do throws(StateStreamError) {
            try framer.finish(handle)
        } catch {
            throw .state(error)
        }
        return metadata
    }
}

/// A record as `snapshot decode` prints it.
private struct RecordLine: WireRecord {
    private var type = ""
    private var data = JSONValue.null

    static var goType: String { "snapshot.Record" }

    init() {}

    init(_ frame: RecordFramer.Frame) throws(WireError) {
        type = frame.type.name ?? "\(frame.type.rawValue)"
        var reader = MessagePackReader(frame.value)
        try data.readPack(&reader)
        guard frame.type == .keyValue, case .object(var fields) = data else { return }
        var entry = KeyValueEntry()
        var again = MessagePackReader(frame.value)
        try entry.readPack(&again)
        fields["Value"] = entry.value.isEmpty ? .null : .string(Base64.encode(entry.value))
        data = .object(fields)
    }

    var json: [UInt8] { JSON.encode(self) }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Type", &type)
        try visitor.field("Data", &data)
    }
}
