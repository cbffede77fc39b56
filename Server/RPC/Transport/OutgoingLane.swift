import NIOCore
import Raft

/// One connection that this server dials and keeps up, and what waits to leave over it.
final class OutgoingLane: FrameReceiver {
    private enum State {
        /// Nothing happens. Can transition to: dialling, stopped.
        case idle
        /// Until the next attempt. Can transition to: dialling, stopped.
        case waiting(Scheduled<Void>)
        /// Until the peer has accepted. Can transition to: open, waiting, stopped.
        case dialling(PeerConnection)
        /// Can transition to: waiting, stopped.
        case open(PeerConnection)
        /// For good.
        case stopped
    }

    /// A question to an idle peer that is not answered yet.
    private struct Ping {
        var asked: NIODeadline
        /// When it was asked, or when bytes were last taken since.
        var progress: NIODeadline
        var takenBytes: Int
    }

    let peer: NodeID
    let lane: PeerLane
    private let address: String
    private let limitBytes: Int
    private let transport: PeerTransport
    private var state = State.idle
    /// Attempts since the lane was last open for a while.
    private var failures = 0
    private var openedAt = NIODeadline.uptimeNanoseconds(0)
    private var ping: Ping?
    /// What the last question and its answer took; nil until the first answer.
    private(set) var roundTrip: TimeAmount?
    /// Frames of this turn that were encoded one behind the other.
    private var pending = PeerWriter()
    /// What leaves before `pending`, in this order.
    private var queue: [ByteBuffer] = []
    private var queuedBytes = 0
    /// Bytes that the channel has and the socket has not taken.
    private var inFlightBytes = 0
    /// Whether the shell knows that messages are being dropped.
    private var isDropping = false
    /// Whether the transport knows that something waits for a flush.
    private var isDirty = false

    init(peer: NodeID, lane: PeerLane, address: String, transport: PeerTransport) {
        self.peer = peer
        self.lane = lane
        self.address = address
        self.transport = transport
        limitBytes =
            switch lane {
            case .priority: transport.settings.priorityLaneBytes
            case .bulk: transport.settings.bulkLaneBytes
            }
    }

    var isOpen: Bool {
        if case .open = state { true } else { false }
    }

    private var loop: any EventLoop { transport.eventLoop }

    /// What has been sent and has not left.
    private var unsentBytes: Int { queuedBytes + pending.count + inFlightBytes }

    // MARK: Sending

    /// Whether a message of at least so many bytes is taken; if not, the shell is told once.
    private func admits(_ leastBytes: Int) -> Bool {
        guard isOpen else { return false }
        guard unsentBytes > 0, unsentBytes + leastBytes > limitBytes else { return true }
        if !isDropping {
            isDropping = true
            transport.laneDrops(self)
        }
        return false
    }

    /// Takes a message; false when it is dropped.
    func send(_ message: PeerMessage) -> Bool {
        guard admits(message.leastBytes) else { return false }
        message.encode(into: &pending)
        markDirty()
        return true
    }

    /// Takes a frame that is encoded already; false when it is dropped.
    func send(frame: ByteBuffer) -> Bool {
        guard admits(frame.readableBytes) else { return false }
        seal()
        queue.append(frame)
        queuedBytes += frame.readableBytes
        markDirty()
        return true
    }

    private func markDirty() {
        guard !isDirty else { return }
        isDirty = true
        transport.laneHasOutput(self)
    }

    /// Moves what was encoded into the queue.
    private func seal() {
        guard pending.count > 0 else { return }
        queue.append(ByteBuffer(bytes: pending.bytes))
        queuedBytes += pending.count
        pending.clear()
    }

    /// Sends what waits, with one system call where the socket takes it.
    func flush() {
        isDirty = false
        seal()
        guard case .open(let connection) = state, let last = queue.last else {
            return forgetOutput()
        }
        let buffers = queue.dropLast()
        let bytes = queuedBytes
        queue = []
        queuedBytes = 0
        inFlightBytes += bytes
        let promise = loop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { [weak self, weak connection] _ in
            self?.sent(bytes, over: connection)
        }
        for buffer in buffers { connection.write(buffer) }
        connection.write(last, promise: promise)
        connection.flush()
    }

    private func sent(_ bytes: Int, over connection: PeerConnection?) {
        guard case .open(let current) = state, current === connection else { return }
        inFlightBytes -= bytes
        if unsentBytes <= limitBytes / 2 { isDropping = false }
    }

    private func forgetOutput() {
        queue = []
        queuedBytes = 0
        inFlightBytes = 0
        isDropping = false
        pending.clear()
    }

    // MARK: Keeping the connection up

    /// Dials at once, whatever the pause since the last failure.
    func dialNow() {
        switch state {
        case .idle: dial()
        case .waiting(let timer):
            timer.cancel()
            failures = 0
            dial()
        case .dialling, .open, .stopped: break
        }
    }

    private func dial() {
        let connection = PeerConnection(
            receiver: self,
            frameLimit: transport.settings.handshakeFrameBytes
        )
        state = .dialling(connection)
        transport.dial(address, connection)
    }

    /// Ends the lane for good; the shell is not told.
    func stop() {
        let last = state
        state = .stopped
        forgetOutput()
        switch last {
        case .waiting(let timer): timer.cancel()
        case .dialling(let connection), .open(let connection):
            connection.end(.ended("the lane is stopped"))
        case .idle, .stopped: break
        }
    }

    /// Has the peer greeted anew, unless it named this cluster.
    func renew(in cluster: UInt128) {
        guard case .open(let connection) = state, connection.peerCluster != cluster else { return }
        failures = 0
        connection.end(.ended("this server's cluster is another one since it was opened"))
    }

    /// Looks after an open lane; called every `keepaliveInterval`.
    func tick(_ now: NIODeadline) {
        guard case .open(let connection) = state else { return }
        let settings = transport.settings
        guard var ping else {
            self.ping = Ping(
                asked: now,
                progress: now,
                takenBytes: connection.takenBytes
            )
            return connection.send { $0.frame(.ping) }
        }
        let taken = connection.takenBytes
        if taken > ping.takenBytes {
            (ping.progress, ping.takenBytes) = (now, taken)
            self.ping = ping
        }
        if now - ping.progress >= settings.keepaliveTimeout {
            let waited = (now - ping.progress).nanoseconds / 1_000_000
            connection.end(.ended("no sign of life for \(waited) ms"))
        }
    }

    // MARK: FrameReceiver

    func connectionOpened(_ connection: PeerConnection) {
        let kind: ConnectionKind = lane == .priority ? .priorityLane : .bulkLane
        transport.greet(connection, as: kind, expecting: peer)
    }

    func receive(
        _ kind: Frame.Kind,
        _ reader: inout PeerReader,
        on connection: PeerConnection
    ) throws(PeerCodecError) {
        switch (state, kind) {
        case (.open, .pong):
            if let ping { roundTrip = loop.now - ping.asked }
            ping = nil
        case (.dialling, _):
            answered(try GreetingAnswer.decode(kind, &reader), on: connection)
        default:
            throw .unknown(what: "frame on an outgoing lane", found: Int(kind.rawValue))
        }
    }

    private func answered(_ answer: GreetingAnswer, on connection: PeerConnection) {
        guard let greeting = transport.greeting(in: answer, of: peer, over: connection) else {
            return
        }
        connection.peerCluster = greeting.cluster
        forgetOutput()
        ping = nil
        roundTrip = nil
        openedAt = loop.now
        state = .open(connection)
        transport.laneOpened(self, greeting, connection)
    }

    func connectionEnded(_ connection: PeerConnection, _ reason: ConnectionEnd) {
        let settings = transport.settings
        switch state {
        case .open(let current) where current === connection:
            forgetOutput()
            if loop.now - openedAt >= settings.longestBackoff { failures = 0 }
            retry()
            transport.laneLost(self, reason)
        case .dialling(let current) where current === connection:
            retry()
            transport.laneNotOpened(self, address, reason)
        default: break
        }
    }

    /// Dials again after a pause that doubles with each failure, half of it by chance.
    private func retry() {
        let settings = transport.settings
        let shortest = settings.shortestBackoff.nanoseconds
        let doubled = shortest << Int64(min(failures, 20))
        let pause = min(doubled, settings.longestBackoff.nanoseconds)
        failures += 1
        let chosen = TimeAmount.nanoseconds(Int64.random(in: pause / 2...max(pause, pause / 2)))
        state = .waiting(
            loop.assumeIsolated().scheduleTask(in: chosen) { [weak self] in
                guard let self, case .waiting = self.state else { return }
                self.dial()
            }
        )
    }
}
