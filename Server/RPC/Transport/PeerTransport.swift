import Model
package import Logging
package import NIOCore
package import Raft

/// The connections between the servers of a cluster.
///
/// Each server dials each peer twice: a *priority lane*, where nothing large is ever before a
/// heartbeat or a vote, and a *bulk lane* for entries. A connection carries messages one way, from
/// the server that dialled; answers come over the peer's own lanes. What cannot be sent is dropped:
/// consensus repeats it, and the shell repeats what it forwarded.
///
/// Everything is called, and calls back, on `eventLoop`. `stop()` must be called in the end.
package final class PeerTransport {
    private struct Peer {
        var address: String
        var priority: OutgoingLane
        var bulk: OutgoingLane

        var lanes: [OutgoingLane] { [priority, bulk] }

        func lane(_ lane: PeerLane) -> OutgoingLane {
            lane == .priority ? priority : bulk
        }
    }

    /// What determines the frame of an append: in one term one leader writes an index once.
    ///
    /// - Source: Raft figure 3, leader append-only.
    private struct AppendKey: Equatable {
        var term: Term
        var previous: LogPosition
        var count: Int
        var commit: LogIndex
    }

    package let eventLoop: any EventLoop
    package let settings: PeerTransportSettings
    package weak var delegate: (any PeerTransportDelegate)?
    /// How connections that begin from now on are protected; those that are open stay as they are.
    package var security: PeerSecurity
    let logger: Logger
    let identity: () -> ServerGreeting
    private var peers: [NodeID: Peer] = [:]
    /// Lanes with something to flush.
    private var dirty: [OutgoingLane] = []
    /// The append that was encoded last; forgotten with each flush.
    private var lastAppend: (key: AppendKey, frame: ByteBuffer)?
    /// Connections that others have dialled, and those of single calls.
    var connections: [ObjectIdentifier: PeerConnection] = [:]
    /// Incoming connections that are not admitted yet.
    var pendingCount = 0
    var incoming: [IncomingKey: PeerConnection] = [:]
    /// Snapshots that leave, by their connection.
    var senders: [ObjectIdentifier: SnapshotSender] = [:]
    /// Snapshots that arrive, by their sender.
    var receivers: [NodeID: SnapshotReceiver] = [:]
    var listeners: [any Channel] = []
    var complaints = Complaints()
    private(set) var isStopped = false
    /// This server's cluster, when peers were last compared with it; nil before any greeting.
    private var lastCluster: UInt128?
    private var ticker: Scheduled<Void>?

    /// Makes a transport that neither listens nor dials yet; `identity` is asked for each greeting.
    package init(
        eventLoop: any EventLoop,
        settings: PeerTransportSettings = PeerTransportSettings(),
        security: PeerSecurity = PeerSecurity(),
        logger: Logger,
        identity: @escaping () -> ServerGreeting
    ) {
        eventLoop.preconditionInEventLoop()
        self.eventLoop = eventLoop
        self.settings = settings
        self.security = security
        self.logger = logger
        self.identity = identity
        scheduleTick()
    }

    /// Says whom to keep connected, and where; a peer whose address has changed is dialled anew.
    ///
    /// This server itself may be among them and is left out. Peers that were given before and are
    /// not now are disconnected; what they dialled stays.
    package func setPeers(_ addresses: [NodeID: String]) {
        guard !isStopped else { return }
        let own = identity().server
        for (id, peer) in peers where addresses[id] != peer.address {
            peers[id] = nil
            for lane in peer.lanes { lane.stop() }
        }
        for (id, address) in addresses where id != own {
            let peer =
                peers[id]
                ?? Peer(
                    address: address,
                    priority: lane(.priority, to: id, at: address),
                    bulk: lane(.bulk, to: id, at: address)
                )
            peers[id] = peer
            for lane in peer.lanes { lane.dialNow() }
        }
    }

    private func lane(_ lane: PeerLane, to id: NodeID, at address: String) -> OutgoingLane {
        OutgoingLane(peer: id, lane: lane, address: address, transport: self)
    }

    /// Where a peer is dialled; nil when it is none.
    package func address(of peer: NodeID) -> String? {
        peers[peer]?.address
    }

    /// Whether messages to the peer leave over this lane now.
    package func isOpen(_ lane: PeerLane, to peer: NodeID) -> Bool {
        peers[peer]?.lane(lane).isOpen ?? false
    }

    /// What a question over the lane and its answer took last; nil when it is not known.
    package func roundTrip(over lane: PeerLane, to peer: NodeID) -> TimeAmount? {
        guard let lane = peers[peer]?.lane(lane), lane.isOpen else { return nil }
        return lane.roundTrip
    }

    /// Keeps a message for the next `flush()`; false when it is dropped at once.
    ///
    /// It is dropped when the peer's lane is not open or full, and when it is too large.
    @discardableResult
    package func send(_ message: PeerMessage, to peer: NodeID) -> Bool {
        guard let peer = peers[peer] else { return false }
        guard message.leastBytes <= settings.frameBytes - PeerTransport.frameSlackBytes else {
            return sendHalves(of: message, to: peer.bulk)
        }
        switch message.lane(smallBytes: settings.smallBytes) {
        case .priority: return peer.priority.send(message)
        case .bulk:
            guard case .raft(let raft) = message, case .append(let append) = raft.body,
                !append.entries.isEmpty
            else { return peer.bulk.send(message) }
            guard peer.bulk.isOpen else { return false }
            return peer.bulk.send(frame: frame(of: message, append, in: raft.term))
        }
    }

    /// What heads and counts may add to the payloads of a frame: generous for 1024 entries.
    private static let frameSlackBytes = 64 * 1024

    /// Forwarded writes that do not fit into one frame travel in several; nothing else is divided.
    private func sendHalves(of message: PeerMessage, to lane: OutgoingLane) -> Bool {
        guard case .forward(let writes) = message, writes.count > 1 else {
            logger.error("A message of \(message.leastBytes) bytes is too large to be sent")
            return false
        }
        let middle = writes.count / 2
        return [writes[..<middle], writes[middle...]].allSatisfy { half in
            send(.forward(Array(half)), to: lane.peer)
        }
    }

    /// The frame of an append, encoded once for all followers that get the same.
    private func frame(
        of message: PeerMessage,
        _ append: RaftMessage.Append,
        in term: Term
    ) -> ByteBuffer {
        let key = AppendKey(
            term: term,
            previous: append.previous,
            count: append.entries.count,
            commit: append.commit
        )
        if let lastAppend, lastAppend.key == key { return lastAppend.frame }
        var writer = PeerWriter()
        message.encode(into: &writer)
        let frame = ByteBuffer(bytes: writer.bytes)
        lastAppend = (key, frame)
        return frame
    }

    /// Sends everything that was kept; call it once per turn of the loop.
    package func flush() {
        lastAppend = nil
        guard !dirty.isEmpty else { return }
        let lanes = dirty
        dirty.removeAll(keepingCapacity: true)
        for lane in lanes { lane.flush() }
    }

    /// Asks whoever is at an address for its greeting; nothing is kept afterwards.
    ///
    /// Errors: `PeerTransportError`, for a refusal with the other side's reason.
    package func hello(
        address: String,
        timeout: TimeAmount = .seconds(2)
    ) -> EventLoopFuture<ServerGreeting> {
        let promise = eventLoop.makePromise(of: ServerGreeting.self)
        guard !isStopped else {
            promise.fail(PeerTransportError.unavailable("the transport has been stopped"))
            return promise.futureResult
        }
        let call = HelloCall(transport: self, promise: promise)
        let connection = PeerConnection(receiver: call, frameLimit: settings.handshakeFrameBytes)
        connections[ObjectIdentifier(connection)] = connection
        call.start(connection, timeout: timeout)
        dial(address, connection)
        return promise.futureResult
    }

    /// This server's cluster has changed: lanes to and from peers that named another one in their
    /// greeting, or none, are opened anew, so that nobody of another cluster is kept.
    ///
    /// Without this call it happens within `keepaliveInterval` of the change.
    package func identityChanged() {
        let cluster = identity().cluster
        lastCluster = cluster
        for connection in Array(incoming.values) where connection.peerCluster != cluster {
            connection.end(.ended("this server's cluster is another one since it was opened"))
        }
        for lane in peers.values.flatMap(\.lanes) { lane.renew(in: cluster) }
    }

    /// What this server says of itself now, to somebody else.
    func greeting() -> ServerGreeting {
        let greeting = identity()
        if lastCluster == nil { lastCluster = greeting.cluster }
        return greeting
    }

    /// Ends listeners, lanes and calls for good; the delegate hears nothing of it.
    package func stop() {
        guard !isStopped else { return }
        isStopped = true
        delegate = nil
        ticker?.cancel()
        for listener in listeners { listener.close(promise: nil) }
        listeners = []
        let last = peers.values.flatMap(\.lanes)
        peers = [:]
        dirty = []
        lastAppend = nil
        for lane in last { lane.stop() }
        for connection in Array(connections.values) {
            connection.end(.ended("the transport is stopped"))
        }
    }

    // MARK: For the lanes

    func laneHasOutput(_ lane: OutgoingLane) {
        dirty.append(lane)
    }

    func laneOpened(
        _ lane: OutgoingLane,
        _ greeting: ServerGreeting,
        _ connection: PeerConnection
    ) {
        if complaints.settle(lane.complaintKey) {
            logger.info("Connected to server \(greeting.name), \(lane.lane) lane")
        } else {
            logger.debug("Connected to server \(greeting.name), \(lane.lane) lane")
        }
        delegate?.transport(self, opened: lane.lane, to: lane.peer, greeting: greeting)
    }

    func laneLost(_ lane: OutgoingLane, _ reason: ConnectionEnd) {
        logger.warning("Lost the \(lane.lane) lane to \(lane.peer.text): \(reason)")
        later { $0.delegate?.transport($0, lost: lane.lane, to: lane.peer) }
    }

    /// A peer says that this server runs on an old image of its disk.
    func outdated(accordingTo peer: NodeID, _ reason: String) {
        later { $0.delegate?.transport($0, isOutdated: reason, accordingTo: peer) }
    }

    func laneDrops(_ lane: OutgoingLane) {
        logger.warning("The \(lane.lane) lane to \(lane.peer.text) is full; messages are dropped")
        later { $0.delegate?.transport($0, drops: lane.lane, to: lane.peer) }
    }

    func laneNotOpened(_ lane: OutgoingLane, _ address: String, _ reason: ConnectionEnd) {
        guard complaints.isNews(lane.complaintKey, reason.description) else { return }
        let place = "the \(lane.lane) lane to \(lane.peer.text) at \(address)"
        logger.warning("Cannot open \(place): \(reason)")
    }

    /// Runs `body` in a later turn of the loop, so that no caller is called back from within.
    private func later(_ body: @escaping (PeerTransport) -> Void) {
        eventLoop.assumeIsolated().execute { [weak self] in
            if let self { body(self) }
        }
    }

    /// A peer has been heard: dial it without waiting.
    func heard(of peer: NodeID) {
        guard let peer = peers[peer] else { return }
        for lane in peer.lanes { lane.dialNow() }
    }

    private func scheduleTick() {
        let loop = eventLoop.assumeIsolated()
        ticker = loop.scheduleTask(in: settings.keepaliveInterval) { [weak self] in
            guard let self, !self.isStopped else { return }
            self.scheduleTick()
            let now = self.eventLoop.now
            for lane in self.peers.values.flatMap(\.lanes) { lane.tick(now) }
            self.endSilentLanes(now)
            if let last = self.lastCluster, self.identity().cluster != last {
                self.identityChanged()
            }
            self.tickSnapshots(now)
        }
    }
}

extension OutgoingLane {
    fileprivate var complaintKey: String { "out \(peer.rawValue) \(lane)" }
}

extension NodeID {
    /// The id as it stands in the log of events.
    var text: String {
        let digits = String(rawValue, radix: 16)
        let padded = String(repeating: "0", count: 32 - digits.count) + digits
        let parts = [8, 4, 4, 4, 12].reduce(into: (parts: [Substring](), rest: padded[...])) {
            $0.parts.append($0.rest.prefix($1))
            $0.rest = $0.rest.dropFirst($1)
        }
        return parts.parts.joined(separator: "-")
    }
}

extension ServerGreeting {
    /// Name, id and address for the log.
    var name: String { "\(nodeName) (\(server.text), \(address))" }
}
