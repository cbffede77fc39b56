import NIOCore
import NIOPosix

/// A peer that sends whatever bytes it is told to and understands nothing.
enum RawPeer {
    /// Connects, sends the bytes, and gives what came until the other side ended the connection.
    static func exchange(_ bytes: [UInt8], with address: String) async throws -> [UInt8] {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: [UInt8].self)
        let port = Int(address.split(separator: ":").last ?? "") ?? 0
        let channel = try await ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(promise))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        // Fails when the other side has ended the connection already, which is what is tested.
        try? await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
        return try await promise.futureResult.get()
    }

    /// Listens, and answers the first bytes of each connection with `reply`; then it is silent.
    ///
    /// With `readsOn` false it takes no further bytes either.
    static func listen(
        reply: [UInt8],
        readsOn: Bool = true,
        onConnection: @escaping @Sendable () -> Void = {}
    ) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton.next())
            .childChannelInitializer { channel in
                onConnection()
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Replier(reply, readsOn))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let promise: EventLoopPromise<[UInt8]>
        private var bytes: [UInt8] = []

        init(_ promise: EventLoopPromise<[UInt8]>) {
            self.promise = promise
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes += unwrapInboundIn(data).readableBytesView
        }

        func channelInactive(context: ChannelHandlerContext) {
            promise.succeed(bytes)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }

    private final class Replier: ChannelDuplexHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private var reply: [UInt8]
        private let readsOn: Bool
        private var hasReplied = false

        init(_ reply: [UInt8], _ readsOn: Bool) {
            self.reply = reply
            self.readsOn = readsOn
        }

        func read(context: ChannelHandlerContext) {
            if readsOn || !hasReplied { context.read() }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: reply)), promise: nil)
            reply = []
            hasReplied = true
        }
    }
}
