import MusterAPI
import NIOCore
import NIOPosix
import Synchronization

/// A server on the loopback that sends exactly the bytes a test says, HTTP or not.
final class PlainServer: Sendable {
    /// A client that has sent its request.
    struct Connection: Sendable {
        fileprivate let channel: any Channel

        /// Sends bytes as they are.
        func send(_ text: String) {
            channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
        }

        /// Closes the connection behind what was sent.
        func close() { channel.close(promise: nil) }

        /// Returns when the connection is closed, by whichever side.
        func closed() async {
            // The future only fails when closing fails, and then the connection is gone as well.
            try? await channel.closeFuture.get()
        }
    }

    private let arrivals = AsyncStream<Connection>.makeStream()
    private let listener = Mutex<(any Channel)?>(nil)
    private let answer: String?

    /// Makes a server; with an `answer` it sends that to everybody and closes.
    init(answering answer: String? = nil) { self.answer = answer }

    func start() async throws -> Int {
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FirstRead { self.arrived($0) })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        listener.withLock { $0 = channel }
        return channel.localAddress?.port ?? 0
    }

    func stop() async throws { try await listener.withLock { $0 }?.close() }

    private func arrived(_ channel: any Channel) {
        let connection = Connection(channel: channel)
        guard let answer else {
            arrivals.continuation.yield(connection)
            return
        }
        channel.writeAndFlush(ByteBuffer(string: answer)).whenComplete { _ in connection.close() }
    }

    /// The next client that has sent a request.
    func next() async -> Connection {
        for await connection in arrivals.stream { return connection }
        preconditionFailure("no client came before the test was cancelled")
    }
}

/// Says once that something was read.
private final class FirstRead: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let tell: (any Channel) -> Void
    private var hasTold = false

    init(_ tell: @escaping (any Channel) -> Void) { self.tell = tell }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasTold else { return }
        hasTold = true
        tell(context.channel)
    }
}

/// Runs a test against a plain server with a client of it that never sends again.
func withPlainServer(
    answering answer: String? = nil,
    _ configure: (inout ClientConfiguration) -> Void = { _ in },
    _ body: (PlainServer, MusterClient) async throws -> Void
) async throws {
    let server = PlainServer(answering: answer)
    let port = try await server.start()
    var configuration = ClientConfiguration(address: .http(host: "127.0.0.1", port: port))
    configuration.retries = .off
    configure(&configuration)
    try await MusterClient.withClient(configuration) { client in
        try await body(server, client)
    }
    try await server.stop()
}
