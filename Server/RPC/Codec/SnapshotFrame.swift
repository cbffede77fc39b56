/// What a server offers to send as a snapshot.
package struct SnapshotOffer: Hashable, Sendable {
    /// The same bytes have the same id, on every attempt.
    package var id: UInt128
    package var totalBytes: UInt64
    /// What the shell needs to judge the offer; at most 64 KiB.
    package var metadata: [UInt8]

    static let greatestMetadataBytes = 64 * 1024

    package init(id: UInt128, totalBytes: UInt64, metadata: [UInt8]) {
        self.id = id
        self.totalBytes = totalBytes
        self.metadata = metadata
    }
}

/// The frames of a snapshot's connection; S marks the sender's, R the receiver's.
///
///     S  snapshotOffer      | id:16 | total:8 | metadata: the rest |   first
///     R  snapshotResume     | offset:8 |                               send from here on
///     R  snapshotRefused    | reason:text |                            at any time
///     S  snapshotChunk      | offset:8 | bytes: the rest |
///     R  snapshotProgress   | offset:8 |                               all before it is kept
///     S  snapshotEnd        | total:8 |                                after the last chunk
///     R  snapshotDone       |                                          the sink has finished
enum SnapshotFrame: Hashable {
    case offer(SnapshotOffer)
    case resume(offset: UInt64)
    case refused(String)
    case chunk(offset: UInt64, [UInt8])
    case progress(offset: UInt64)
    case end(total: UInt64)
    case done

    func encode(into writer: inout PeerWriter) {
        switch self {
        case .offer(let offer):
            writer.frame(.snapshotOffer) { writer in
                writer.number(offer.id)
                writer.number(offer.totalBytes)
                writer.rest(offer.metadata)
            }
        case .resume(let offset):
            writer.frame(.snapshotResume) { $0.number(offset) }
        case .refused(let reason):
            writer.frame(.snapshotRefused) { $0.text(reason) }
        case .chunk(let offset, let bytes):
            writer.frame(.snapshotChunk) { writer in
                writer.number(offset)
                writer.rest(bytes)
            }
        case .progress(let offset):
            writer.frame(.snapshotProgress) { $0.number(offset) }
        case .end(let total):
            writer.frame(.snapshotEnd) { $0.number(total) }
        case .done:
            writer.frame(.snapshotDone)
        }
    }

    static func decode(
        _ kind: Frame.Kind,
        _ reader: inout PeerReader
    ) throws(PeerCodecError) -> SnapshotFrame {
        switch kind {
        case .snapshotOffer:
            let id = try reader.number(as: UInt128.self)
            let total = try reader.number(as: UInt64.self)
            let offer = SnapshotOffer(id: id, totalBytes: total, metadata: try reader.rest())
            return .offer(offer)
        case .snapshotResume: return .resume(offset: try reader.number())
        case .snapshotRefused: return .refused(try reader.text())
        case .snapshotChunk:
            let offset = try reader.number(as: UInt64.self)
            return .chunk(offset: offset, try reader.rest())
        case .snapshotProgress: return .progress(offset: try reader.number())
        case .snapshotEnd: return .end(total: try reader.number())
        case .snapshotDone: return .done
        default: throw .unknown(what: "frame of a snapshot", found: Int(kind.rawValue))
        }
    }
}
