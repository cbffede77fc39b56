import NIOCore
import Raft

/// A snapshot that a peer sends, over a connection of its own.
final class SnapshotReceiver: FrameReceiver {
    private enum Phase {
        /// Can transition to: receiving, ended.
        case waiting
        /// Can transition to: finishing, ended.
        case receiving(SnapshotOffer, any SnapshotSink)
        /// The sink checks and installs. Can transition to: ended.
        case finishing
        case ended
    }

    let peer: NodeID
    let connection: PeerConnection
    private let transport: PeerTransport
    private var phase = Phase.waiting
    /// Where the next chunk begins.
    private var expected: UInt64 = 0
    /// Bytes that the sink has taken, in their order.
    private var taken: UInt64 = 0
    private var hasEnd = false

    init(peer: NodeID, connection: PeerConnection, transport: PeerTransport) {
        self.peer = peer
        self.connection = connection
        self.transport = transport
    }

    private func send(_ frame: SnapshotFrame) {
        connection.send { frame.encode(into: &$0) }
    }

    private func refuse(_ reason: String) {
        send(.refused(reason))
        connection.endAfterWriting(.ended("refused: \(reason)"))
    }

    // MARK: FrameReceiver

    func connectionOpened(_ connection: PeerConnection) {}

    func receive(
        _ kind: Frame.Kind,
        _ reader: inout PeerReader,
        on connection: PeerConnection
    ) throws(PeerCodecError) {
        if kind == .ping { return connection.send { $0.frame(.pong) } }
        let frame = try SnapshotFrame.decode(kind, &reader)
        try reader.finish()
        switch (phase, frame) {
        case (.waiting, .offer(let offer)):
            offered(offer)
        case (.receiving(let offer, let sink), .chunk(let offset, let bytes)):
            try received(bytes, at: offset, of: offer, into: sink)
        case (.receiving(let offer, _), .end(let total)):
            guard total == offer.totalBytes, expected == total, !hasEnd else {
                throw .unknownOffset(total)
            }
            hasEnd = true
            finishIfComplete()
        default:
            throw .unknown(what: "frame of a snapshot's sender", found: Int(kind.rawValue))
        }
    }

    private func offered(_ offer: SnapshotOffer) {
        guard let delegate = transport.delegate else { return refuse("this server is not ready") }
        switch delegate.transport(transport, offered: offer, from: peer) {
        case .refused(let reason): refuse(reason)
        case .accepted(let sink, let resumeAt):
            guard !connection.isEnded, resumeAt <= offer.totalBytes else {
                sink.abandon()
                return refuse("nothing can be resumed at byte \(resumeAt)")
            }
            phase = .receiving(offer, sink)
            (expected, taken) = (resumeAt, resumeAt)
            send(.resume(offset: resumeAt))
        }
    }

    private func received(
        _ bytes: [UInt8],
        at offset: UInt64,
        of offer: SnapshotOffer,
        into sink: any SnapshotSink
    ) throws(PeerCodecError) {
        let count = UInt64(bytes.count)
        guard offset == expected, count > 0, count <= offer.totalBytes - offset, !hasEnd else {
            throw .unknownOffset(offset)
        }
        expected += count
        let most = max(transport.settings.snapshotWindowBytes, transport.settings.frameBytes)
        guard expected - taken <= UInt64(most) else {
            throw .tooLarge(what: "a window", found: Int(expected - taken), most: most)
        }
        let kept = sink.write(bytes, at: offset).hop(to: transport.eventLoop)
        kept.assumeIsolated().whenComplete { [weak self] result in self?.kept(count, result) }
    }

    private func kept(_ count: UInt64, _ result: Result<Void, any Error>) {
        guard case .receiving = phase else { return }
        switch result {
        case .failure(let error): refuse("cannot keep the snapshot: \(error)")
        case .success:
            taken += count
            send(.progress(offset: taken))
            finishIfComplete()
        }
    }

    private func finishIfComplete() {
        guard case .receiving(let offer, let sink) = phase, hasEnd, taken == offer.totalBytes
        else { return }
        phase = .finishing
        let finished = sink.finish().hop(to: transport.eventLoop)
        finished.assumeIsolated().whenComplete { [weak self] result in self?.finished(result) }
    }

    private func finished(_ result: Result<Void, any Error>) {
        guard case .finishing = phase else { return }
        switch result {
        case .failure(let error): refuse("cannot install the snapshot: \(error)")
        case .success:
            send(.done)
            connection.endAfterWriting(.ended("the snapshot is installed"))
        }
    }

    func connectionEnded(_ connection: PeerConnection, _ reason: ConnectionEnd) {
        let last = phase
        phase = .ended
        if case .receiving(_, let sink) = last { sink.abandon() }
        transport.receiverEnded(self, reason)
    }

    /// Looks after the transfer; called every `keepaliveInterval`.
    func tick(_ now: NIODeadline) {
        guard now - connection.lastRead > transport.settings.snapshotTimeout else { return }
        connection.end(.ended("the snapshot's sender is silent"))
    }
}
