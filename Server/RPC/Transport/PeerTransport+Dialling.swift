#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import NIOCore
import NIOPosix
import NIOSSL
import Raft

extension PeerTransport {
    /// Connects to `host:port`; a failure ends the connection with its reason.
    func dial(_ address: String, _ connection: PeerConnection) {
        guard let place = PeerAddress(address) else {
            let reason = PeerTransportError.badAddress(address).description
            // A later turn: the caller is not ready to hear of the end.
            return eventLoop.assumeIsolated().execute { connection.end(.ended(reason)) }
        }
        let bound = NIOLoopBound(connection, eventLoop: eventLoop)
        let (tls, settings) = (security.dialling, settings)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(settings.connectTimeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try PeerTransport.prepare(
                        channel,
                        bound.value,
                        settings,
                        before: try tls?.handlers() ?? []
                    )
                }
            }
        let connected: EventLoopFuture<any Channel>
        if let address = try? SocketAddress(ipAddress: place.host, port: place.port) {
            // Not an IP address: a name, which is looked up outside of the loop.
            connected = bootstrap.connect(to: address)
        } else {
            connected = bootstrap.connect(host: place.host, port: place.port)
        }
        connected.assumeIsolated().whenFailure { error in
            connection.end(.network("cannot connect: \(error)"))
        }
    }

    /// Adds the handlers of a connection and sets its socket's options; those given come before.
    static func prepare(
        _ channel: any Channel,
        _ connection: PeerConnection,
        _ settings: PeerTransportSettings,
        before handlers: [any ChannelHandler]
    ) throws {
        try channel.pipeline.syncOperations.addHandlers(handlers + [connection])
        guard let options = channel.syncOptions else { return }
        try options.setOption(.tcpOption(.tcp_nodelay), value: 1)
        try options.setOption(.maxMessagesPerRead, value: 4)
        try options.setOption(
            .recvAllocator,
            value: AdaptiveRecvByteBufferAllocator(
                minimum: 1024,
                initial: 4096,
                maximum: 256 * 1024
            )
        )
        #if os(Linux)
        // A network that swallows what is sent is noticed by the kernel.
        let timeout = NIOBSDSocket.Option(rawValue: TCP_USER_TIMEOUT)
        let milliseconds = settings.keepaliveTimeout.nanoseconds / 1_000_000
        try options.setOption(.tcpOption(timeout), value: .init(milliseconds))
        #endif
    }

    /// Sends preamble and greeting over a connection that this side has dialled.
    func greet(_ connection: PeerConnection, as kind: ConnectionKind, expecting peer: NodeID?) {
        connection.startHandshake(settings.handshakeTimeout)
        let hello = Hello(kind: kind, expected: peer, greeting: greeting())
        connection.write(ByteBuffer(bytes: Preamble.bytes))
        connection.send { hello.encode(into: &$0) }
    }

    /// Why the server that answered is not the one that was dialled; nil when it is.
    func objection(to greeting: ServerGreeting, expecting peer: NodeID) -> String? {
        guard greeting.server == peer else {
            return "server \(greeting.name) is at that address"
        }
        if let objection = objection(to: greeting) { return objection }
        switch delegate?.transport(self, objectsTo: greeting) {
        case .refused(let reason), .outdated(let reason): return reason
        case .accepted, nil: return nil
        }
    }

    /// The greeting of a server that was dialled and has accepted; nil when it has not, or is not
    /// who it must be, and then the connection has ended.
    func greeting(
        in answer: GreetingAnswer,
        of peer: NodeID,
        over connection: PeerConnection
    ) -> ServerGreeting? {
        switch answer {
        case .refused(let reason):
            connection.end(.refused(reason))
            return nil
        case .outdated(let reason):
            connection.end(.refused(reason))
            outdated(accordingTo: peer, reason)
            return nil
        case .accepted(let greeting):
            if let objection = objection(to: greeting, expecting: peer) {
                connection.end(.ended(objection))
                return nil
            }
            connection.handshakeEnded()
            return greeting
        }
    }

    /// A connection of a single call is no more.
    func callEnded(_ connection: PeerConnection) {
        connections[ObjectIdentifier(connection)] = nil
    }
}

extension PeerSecurity.Dialling {
    fileprivate func handlers() throws -> [any ChannelHandler] {
        guard let serverName else {
            let tls = try NIOSSLClientHandler(context: context, serverHostname: nil)
            return [OutgoingModeHandler(), tls]
        }
        // NIOSSL itself would also take a certificate for the other side's IP address, which every
        // client's has: nothing is sent before the name is found in it.
        let tls = try NIOSSLClientHandler._makeSSLClientHandler(
            context: context,
            serverHostname: serverName
        ) { certificate, channel in
            channel.eventLoop.makeCompletedFuture {
                guard certificate.names(serverName) else {
                    throw WrongName(wanted: serverName, found: certificate.dnsNames)
                }
            }
        }
        return [OutgoingModeHandler(), tls]
    }
}
