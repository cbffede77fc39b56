import Logging
package import NIOCore
import NIOPosix
import Raft

/// Which lane of which peer an incoming connection is.
struct IncomingKey: Hashable {
    var peer: NodeID
    var lane: PeerLane
}

extension PeerTransport {
    /// Opens a listener; gives the address that it got.
    ///
    /// Whether a connection is TLS, its first byte says: `IncomingModeHandler`.
    @discardableResult
    package func listen(host: String, port: Int) -> EventLoopFuture<SocketAddress> {
        let transport = NIOLoopBound(self, eventLoop: eventLoop)
        let bootstrap = ServerBootstrap(group: eventLoop, childGroup: eventLoop)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try transport.value.accept(channel)
                }
            }
        return bootstrap.bind(host: host, port: port).flatMapThrowing { channel in
            guard let address = channel.localAddress, !transport.value.isStopped else {
                channel.close(promise: nil)
                throw PeerTransportError.unavailable("the transport has been stopped")
            }
            transport.value.listeners.append(channel)
            return address
        }
    }

    private func accept(_ channel: any Channel) throws {
        guard !isStopped, pendingCount < settings.pendingConnections,
            connections.count < settings.incomingConnections
        else {
            if complaints.isNews("full", "full") {
                logger.warning("Closed a connection: too many servers or strangers are connected")
            }
            return channel.close(promise: nil)
        }
        pendingCount += 1
        let connection = PeerConnection(
            receiver: IncomingHandshake(transport: self),
            frameLimit: settings.handshakeFrameBytes
        )
        connections[ObjectIdentifier(connection)] = connection
        let mode = IncomingModeHandler(connection, security.accepting)
        try PeerTransport.prepare(channel, connection, settings, before: [mode])
        channel.closeFuture.assumeIsolated().whenComplete { [weak self] _ in
            // Also when the handlers were never added in full.
            connection.end(.closed)
            self?.connections[ObjectIdentifier(connection)] = nil
        }
    }

    /// Why a server must not talk to this one; nil when it may.
    func objection(to greeting: ServerGreeting) -> String? {
        let own = identity()
        if own.cluster != 0, greeting.cluster != 0, own.cluster != greeting.cluster {
            return "server \(greeting.name) belongs to another cluster than \(own.name)"
        }
        return nil
    }

    /// Why who stands behind a connection is not who it must be; nil when it is.
    func objection(to connection: PeerConnection) -> String? {
        guard let name = security.accepting?.clientName else { return nil }
        guard let certificate = connection.certificate else {
            return "it sent no certificate, and must show one for \(name)"
        }
        guard !certificate.names(name) else { return nil }
        return WrongName(wanted: name, found: certificate.dnsNames).description
    }

    /// Judges a greeting; the delegate has the last word.
    func answer(to hello: Hello) -> GreetingAnswer {
        let own = self.greeting()
        let greeting = hello.greeting
        if let expected = hello.expected, expected != own.server {
            return .refused("this is server \(own.name), not \(expected.text)")
        }
        if greeting.server == own.server, hello.kind != .hello {
            return .refused("this server has the same id, \(own.server.text)")
        }
        if let objection = objection(to: greeting) { return .refused(objection) }
        if let delegate, let answer = delegate.transport(self, objectsTo: greeting) {
            return answer
        }
        if hello.kind == .snapshot, receivers[greeting.server] == nil,
            receivers.count >= settings.incomingSnapshots
        {
            return .refused("enough snapshots are being received")
        }
        guard let delegate else { return .refused("this server is not ready") }
        return delegate.transport(self, admits: greeting, for: hello.kind)
    }

    /// Makes an admitted connection what it was dialled for.
    func admitted(_ connection: PeerConnection, _ hello: Hello) {
        let greeting = hello.greeting
        connection.peerCluster = greeting.cluster
        switch hello.kind {
        case .hello:
            connection.endAfterWriting(.answered)
        case .priorityLane, .bulkLane:
            guard let lane = hello.kind.lane else { return }
            let key = IncomingKey(peer: greeting.server, lane: lane)
            incoming[key]?.end(.ended("the same server has connected anew"))
            incoming[key] = connection
            connection.frameLimit = settings.frameBytes
            connection.receiver = IncomingLane(
                peer: greeting.server,
                lane: lane,
                own: identity().server,
                transport: self
            )
            heard(of: greeting.server)
        case .snapshot:
            receiveSnapshot(over: connection, from: greeting.server)
        }
    }

    func received(_ messages: [PeerMessage], from peer: NodeID) {
        delegate?.transport(self, received: messages, from: peer)
    }

    func incomingLaneEnded(
        _ lane: IncomingLane,
        _ connection: PeerConnection,
        _ reason: ConnectionEnd
    ) {
        connections[ObjectIdentifier(connection)] = nil
        let key = IncomingKey(peer: lane.peer, lane: lane.lane)
        if incoming[key] === connection { incoming[key] = nil }
        let text = "The \(lane.lane) lane of \(lane.peer.text) at \(connection.remote) ended"
        if case .garbage = reason {
            logger.error("\(text): \(reason)")
        } else {
            logger.debug("\(text): \(reason)")
        }
    }

    /// A connection has ended before it was admitted.
    func handshakeEnded(_ connection: PeerConnection, _ reason: ConnectionEnd) {
        connections[ObjectIdentifier(connection)] = nil
        guard reason != .closed, reason != .answered else { return }
        let host = connection.remote.split(separator: ":").dropLast().joined(separator: ":")
        guard complaints.isNews("in \(host)", reason.description) else { return }
        logger.warning("Closed a connection of \(connection.remote): \(reason)")
    }

    /// Ends lanes of peers that have not even asked for a sign of life.
    func endSilentLanes(_ now: NIODeadline) {
        let most = settings.keepaliveTimeout + settings.keepaliveInterval
        for connection in Array(incoming.values) where now - connection.lastRead > most {
            let silent = (now - connection.lastRead).nanoseconds / 1_000_000
            connection.end(.ended("nothing came for \(silent) ms"))
        }
    }
}

/// What stands behind an incoming connection until it is admitted.
final class IncomingHandshake: FrameReceiver {
    private let transport: PeerTransport
    private var isPending = true

    init(transport: PeerTransport) {
        self.transport = transport
    }

    func connectionOpened(_ connection: PeerConnection) {
        connection.startHandshake(transport.settings.handshakeTimeout)
    }

    func receive(
        _ kind: Frame.Kind,
        _ reader: inout PeerReader,
        on connection: PeerConnection
    ) throws(PeerCodecError) {
        guard kind == .hello else {
            throw .unknown(what: "first frame", found: Int(kind.rawValue))
        }
        let hello = try Hello(from: &reader)
        try reader.finish()
        let objection = transport.objection(to: connection)
        let answer = objection.map { .refused($0) } ?? transport.answer(to: hello)
        connection.write(ByteBuffer(bytes: Preamble.bytes))
        connection.send { answer.encode(into: &$0) }
        switch answer {
        case .accepted:
            settle()
            connection.handshakeEnded()
            transport.admitted(connection, hello)
        case .refused(let reason), .outdated(let reason):
            connection.endAfterWriting(.ended("refused: \(reason)"))
        }
    }

    func met(_ stranger: Stranger, on connection: PeerConnection) {
        let reason: String
        switch stranger {
        case .version: reason = "this server speaks version \(Preamble.version) of the protocol"
        case .plain(Preamble.mode):
            reason = "this server takes connections with TLS only: set verify_outgoing there"
        default: return
        }
        connection.write(ByteBuffer(bytes: Preamble.bytes))
        connection.send { GreetingAnswer.refused(reason).encode(into: &$0) }
        connection.endAfterWriting(.stranger(stranger))
    }

    func connectionEnded(_ connection: PeerConnection, _ reason: ConnectionEnd) {
        settle()
        transport.handshakeEnded(connection, reason)
    }

    private func settle() {
        guard isPending else { return }
        isPending = false
        transport.pendingCount -= 1
    }
}
