import NIOCore
import Raft

/// One attempt to send a snapshot, over a connection of its own.
final class SnapshotSender: FrameReceiver {
    private enum Phase {
        /// Until the peer has accepted the connection. Can transition to: offered.
        case greeting
        /// Until it has said where to begin. Can transition to: sending.
        case offered
        /// Chunks leave as the window allows. Can transition to: ending.
        case sending
        /// Until the peer's sink has finished, however long that takes.
        case ending
    }

    private let transport: PeerTransport
    private let peer: NodeID
    private let offer: SnapshotOffer
    private let source: any SnapshotSource
    private let promise: EventLoopPromise<Void>
    private var connection: PeerConnection?
    private var phase = Phase.greeting
    /// Bytes that have been handed to the connection, those before the resumption included.
    private var sent: UInt64 = 0
    /// Bytes that the peer's sink has taken.
    private var taken: UInt64 = 0
    private var isReading = false
    /// Before this moment the rate limit lets nothing leave.
    private var nextSend = NIODeadline.uptimeNanoseconds(0)
    private var lastProgress: NIODeadline

    init(
        transport: PeerTransport,
        peer: NodeID,
        offer: SnapshotOffer,
        source: any SnapshotSource,
        promise: EventLoopPromise<Void>
    ) {
        self.transport = transport
        self.peer = peer
        self.offer = offer
        self.source = source
        self.promise = promise
        lastProgress = transport.eventLoop.now
    }

    private var settings: PeerTransportSettings { transport.settings }

    private func send(_ frame: SnapshotFrame) {
        connection?.send { frame.encode(into: &$0) }
    }

    // MARK: FrameReceiver

    func connectionOpened(_ connection: PeerConnection) {
        self.connection = connection
        transport.greet(connection, as: .snapshot, expecting: peer)
    }

    func receive(
        _ kind: Frame.Kind,
        _ reader: inout PeerReader,
        on connection: PeerConnection
    ) throws(PeerCodecError) {
        if case .greeting = phase {
            return answered(try GreetingAnswer.decode(kind, &reader), on: connection)
        }
        if kind == .pong { return }
        let frame = try SnapshotFrame.decode(kind, &reader)
        lastProgress = transport.eventLoop.now
        switch (phase, frame) {
        case (_, .refused(let reason)):
            connection.end(.refused(reason))
        case (.offered, .resume(let offset)) where offset <= offer.totalBytes:
            (sent, taken) = (offset, offset)
            phase = .sending
            pump()
        case (.sending, .progress(let offset)), (.ending, .progress(let offset)):
            guard (taken...sent).contains(offset) else { throw .unknownOffset(offset) }
            taken = offset
            pump()
        case (.ending, .done) where taken == offer.totalBytes:
            promise.succeed()
            connection.end(.ended("the snapshot is installed"))
        default:
            throw .unknown(what: "answer to a snapshot", found: Int(kind.rawValue))
        }
    }

    private func answered(_ answer: GreetingAnswer, on connection: PeerConnection) {
        guard transport.greeting(in: answer, of: peer, over: connection) != nil else { return }
        phase = .offered
        send(.offer(offer))
    }

    func connectionEnded(_ connection: PeerConnection, _ reason: ConnectionEnd) {
        self.connection = nil
        source.close()
        transport.senderEnded(connection)
        promise.fail(PeerTransportError(reason))
    }

    // MARK: Sending

    /// Reads and sends the next chunk, if window and rate allow it.
    private func pump() {
        guard case .sending = phase, !isReading, connection != nil else { return }
        guard sent < offer.totalBytes else {
            phase = .ending
            return send(.end(total: offer.totalBytes))
        }
        let count = Int(min(UInt64(settings.snapshotChunkBytes), offer.totalBytes - sent))
        let onTheirWay = Int(sent - taken)
        guard onTheirWay == 0 || onTheirWay + count <= settings.snapshotWindowBytes else { return }
        isReading = true
        let loop = transport.eventLoop
        let pause = nextSend - loop.now
        if pause > .zero {
            loop.assumeIsolated().scheduleTask(in: pause) { [weak self] in self?.read(count) }
        } else {
            read(count)
        }
    }

    private func read(_ count: Int) {
        guard connection != nil else { return }
        let bytes = source.read(at: sent, count: count).hop(to: transport.eventLoop)
        bytes.assumeIsolated().whenComplete { [weak self] result in
            self?.read(result, most: count)
        }
    }

    private func read(_ result: Result<[UInt8], any Error>, most: Int) {
        isReading = false
        guard let connection else { return }
        switch result {
        case .failure(let error):
            promise.fail(PeerTransportError.failed("cannot read the snapshot: \(error)"))
            connection.end(.ended("the snapshot cannot be read"))
        case .success(let bytes):
            guard !bytes.isEmpty, bytes.count <= most else {
                promise.fail(PeerTransportError.failed("the snapshot ends at byte \(sent)"))
                return connection.end(.ended("the snapshot is shorter than it was"))
            }
            let now = transport.eventLoop.now
            if settings.snapshotBytesPerSecond > 0 {
                let cost =
                    Int64(bytes.count) * 1_000_000_000 / Int64(settings.snapshotBytesPerSecond)
                nextSend = max(now, nextSend) + .nanoseconds(cost)
            }
            if sent == taken { lastProgress = now }
            send(.chunk(offset: sent, bytes))
            sent += UInt64(bytes.count)
            pump()
        }
    }

    /// Looks after the transfer; called every `keepaliveInterval`.
    func tick(_ now: NIODeadline) {
        guard let connection else { return }
        let isWaiting: Bool
        switch phase {
        case .greeting: return
        case .offered: isWaiting = true
        case .sending, .ending: isWaiting = taken < sent
        }
        let since = isWaiting ? min(lastProgress, connection.lastRead) : connection.lastRead
        if now - since > settings.snapshotTimeout {
            return connection.end(.ended("the snapshot makes no progress"))
        }
        connection.send { $0.frame(.ping) }
    }
}
