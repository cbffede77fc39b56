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
        let (tls, settings) = (dialTLS, settings)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(settings.connectTimeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try PeerTransport.prepare(channel, bound.value, settings) {
                        try tls.map { try $0.handler() }
                    }
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

    /// Adds the handlers of a connection and sets its socket's options.
    static func prepare(
        _ channel: any Channel,
        _ connection: PeerConnection,
        _ settings: PeerTransportSettings,
        tls: () throws -> (any ChannelHandler)?
    ) throws {
        let operations = channel.pipeline.syncOperations
        if let handler = try tls() { try operations.addHandler(handler) }
        try operations.addHandler(connection)
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

    /// A connection of a single call is no more.
    func callEnded(_ connection: PeerConnection) {
        connections[ObjectIdentifier(connection)] = nil
    }
}

extension PeerTLS {
    fileprivate func handler() throws -> any ChannelHandler {
        try NIOSSLClientHandler(context: context, serverHostname: serverName)
    }
}
