import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP/1 server on the loopback that hands every request to one function.
final class LoopbackServer: Sendable {
    private struct State {
        var listener: (any Channel)?
        var connections: [ObjectIdentifier: any Channel] = [:]
    }

    private let handle: @Sendable (ScriptedRequest) -> Void
    private let state = Mutex(State())

    /// Makes a server that does not listen yet; `handle` is called on the connection's event loop.
    init(_ handle: @escaping @Sendable (ScriptedRequest) -> Void) { self.handle = handle }

    /// Starts listening on a port, 0 for a free one, and returns it.
    func start(port: Int = 0) async throws -> Int {
        let channel = try await bootstrap().bind(host: "127.0.0.1", port: port).get()
        state.withLock { $0.listener = channel }
        return channel.localAddress?.port ?? 0
    }

    /// Starts listening on a unix socket.
    func start(socketPath: String) async throws {
        let channel = try await bootstrap().bind(unixDomainSocketPath: socketPath).get()
        state.withLock { $0.listener = channel }
    }

    /// Stops listening; connections that exist stay.
    func stop() async throws {
        let channel = state.withLock { state in
            let channel = state.listener
            state.listener = nil
            return channel
        }
        try await channel?.close()
    }

    /// Closes every connection without a word.
    func hangUp() {
        for channel in state.withLock({ Array($0.connections.values) }) {
            channel.close(promise: nil)
        }
    }

    /// How many connections are open.
    var connectionCount: Int { state.withLock(\.connections.count) }

    private func bootstrap() -> ServerBootstrap {
        ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                self.track(channel)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                        withPipeliningAssistance: false
                    )
                    try channel.pipeline.syncOperations.addHandler(
                        RequestCollector(handle: self.handle)
                    )
                }
            }
    }

    private func track(_ channel: any Channel) {
        let key = ObjectIdentifier(channel)
        state.withLock { $0.connections[key] = channel }
        channel.closeFuture.whenComplete { _ in
            _ = self.state.withLock { $0.connections.removeValue(forKey: key) }
        }
    }
}

/// Puts requests together and hands them on.
private final class RequestCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    private let handle: @Sendable (ScriptedRequest) -> Void
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()

    init(handle: @escaping @Sendable (ScriptedRequest) -> Void) { self.handle = handle }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.clear()
        case .body(var part): body.writeBuffer(&part)
        case .end:
            guard let head else { return }
            self.head = nil
            handle(
                ScriptedRequest(
                    head: head,
                    bytes: [UInt8](buffer: body),
                    channel: context.channel
                )
            )
        }
    }
}
