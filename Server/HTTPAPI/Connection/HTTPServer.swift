#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
package import NIOCore
import NIOHTTP1
import NIOPosix
package import NIOSSL
import Synchronization

/// The HTTP API: listeners, and for each connection the handlers that answer it.
///
/// One channel accepts for each listener and deals the connections to the event loops in turn.
/// - Source: Consul: docs/agent/options `ports`, `addresses`, `limits`.
package final class HTTPServer: Sendable {
    private struct State {
        var loops: [ObjectIdentifier: NIOLoopBound<LoopState>] = [:]
        var listeners: [any Channel] = []
        /// The files of unix sockets, removed when the server stops.
        var socketPaths: [String] = []
        /// What took the place of the TLS listeners' own contexts; nil when nothing did.
        var newContext: NIOSSLContext?
    }

    private let group: any EventLoopGroup
    private let services: APIServices
    private let routes: RouteTable
    private let census: ConnectionCensus
    private let state = Mutex(State())

    /// Makes a server that does nothing until `start()`.
    ///
    /// The table should come from `RouteTable.standard(for:)`, which has the routes of the registry
    /// and those the agent adds.
    package init(group: any EventLoopGroup, services: APIServices, routes: RouteTable) {
        self.group = group
        self.services = services
        self.routes = routes
        census = ConnectionCensus(limits: services.limits)
    }

    /// Prepares every event loop of the group; call once, before `listen`.
    package func start() async throws {
        for loop in group.makeIterator() {
            let services = services
            let routes = routes
            let bound = try await loop.submit {
                let state = LoopState(eventLoop: loop, services: services, routes: routes)
                return NIOLoopBound(state, eventLoop: loop)
            }.get()
            state.withLock { $0.loops[ObjectIdentifier(loop)] = bound }
        }
    }

    /// Opens a listener and gives the address it got.
    @discardableResult
    package func listen(on listener: HTTPListener) async throws -> SocketAddress? {
        let bootstrap = bootstrap(for: listener)
        let channel: any Channel
        switch listener {
        case .tcp(let host, let port), .tls(let host, let port, _):
            channel = try await bootstrap.bind(host: host, port: port).get()
        case .unix(let path, let permissions):
            channel = try await bootstrap.bind(
                unixDomainSocketPath: path,
                cleanupExistingSocketFile: true
            ).get()
            do {
                try permissions.apply(to: path)
            } catch {
                channel.close(promise: nil)
                throw error
            }
        }
        state.withLock { state in
            state.listeners.append(channel)
            if case .unix(let path, _) = listener { state.socketPaths.append(path) }
        }
        return channel.localAddress
    }

    /// Has TLS use these certificates for connections that begin from now on.
    package func use(_ context: NIOSSLContext) {
        state.withLock { $0.newContext = context }
    }

    /// Ends the listeners and every connection; parked queries get no answer.
    package func stop() async {
        let (listeners, paths, loops) = state.withLock { state in
            defer {
                state.listeners = []
                state.socketPaths = []
            }
            return (state.listeners, state.socketPaths, Array(state.loops.values))
        }
        for listener in listeners {
            try? await listener.close().get()  // Fails only when it is closed already.
        }
        for path in paths { unlink(path) }
        for loop in loops {
            // Fails only when the loop is gone, and its connections with it.
            try? await loop.eventLoop.submit { loop.value.closeAll() }.get()
        }
    }

    private func bootstrap(for listener: HTTPListener) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.maxMessagesPerRead, value: 64)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try self.prepare(channel, for: listener)
                }
            }
    }

    /// Adds the handlers of a new connection; runs on its event loop.
    private func prepare(_ channel: any Channel, for listener: HTTPListener) throws {
        let operations = channel.pipeline.syncOperations
        let client = ConnectionCensus.client(at: channel.remoteAddress)
        guard census.enter(client) else {
            if case .tls = listener {
                channel.close(promise: nil)
            } else {
                try operations.addHandler(RefusalHandler())
            }
            return
        }
        let census = census
        channel.closeFuture.whenComplete { _ in census.leave(client) }
        let bound = state.withLock { $0.loops[ObjectIdentifier(channel.eventLoop)] }
        guard let loop = bound?.value else {
            channel.close(promise: nil)
            return
        }
        if case .tls(_, _, let first) = listener {
            let context = state.withLock { $0.newContext } ?? first
            try operations.addHandler(NIOSSLServerHandler(context: context))
        }
        if case .unix = listener {
        } else if let options = channel.syncOptions {
            try options.setOption(.tcpOption(.tcp_nodelay), value: 1)
        }
        try HTTPServer.addHandlers(to: operations, loop: loop)
    }

    /// The handlers between a connection's bytes and the routes.
    static func addHandlers(
        to operations: ChannelPipeline.SynchronousOperations,
        loop: LoopState
    ) throws {
        let limits = loop.services.limits
        var decoding = NIOHTTPDecoderLimitConfiguration()
        decoding.maxHeaderFieldSize = limits.requestHeadBytes
        decoding.maxHeaderListSize = limits.requestHeadBytes
        decoding.maxHeaderFieldCount = limits.requestHeaderFields
        let gate = ByteGate(loop: loop)
        let connection = ConnectionHandler(loop: loop, gate: gate)
        gate.join(connection)
        try operations.addHandler(gate)
        let decoder = HTTPRequestDecoder(
            leftOverBytesStrategy: .dropBytes,
            limitConfiguration: decoding
        )
        try operations.addHandler(ByteToMessageHandler(decoder))
        try operations.addHandler(connection)
    }
}

extension UnixSocketPermissions {
    /// Sets owner, group and mode of the socket's file.
    fileprivate func apply(to path: String) throws(IOError) {
        if user != nil || group != nil {
            guard chown(path, user ?? .max, group ?? .max) == 0 else {
                throw IOError(errnoCode: errno, reason: "chown \(path)")
            }
        }
        if let mode {
            guard chmod(path, mode_t(mode)) == 0 else {
                throw IOError(errnoCode: errno, reason: "chmod \(path)")
            }
        }
    }
}
