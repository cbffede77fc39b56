import NIOCore
import NIOSSL

/// Looks at the first byte of a connection that another server has dialled: with Consul's mode for
/// TLS, or the first byte of TLS itself, TLS begins; all else goes on as it came, unless TLS is
/// required.
///
/// - Source: Consul: RPC port, `pool.RPCTLS`.
final class IncomingModeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: PeerConnection
    private let security: PeerSecurity.Accepting?

    init(_ connection: PeerConnection, _ security: PeerSecurity.Accepting?) {
        self.connection = connection
        self.security = security
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        guard let mode: UInt8 = bytes.getInteger(at: bytes.readerIndex) else { return }
        guard mode == Preamble.tlsMode || mode == Preamble.tlsRecord else {
            guard security?.isRequired == true else { return pass(bytes, context) }
            return connection.refuse(.plain(mode: mode))
        }
        guard let security else { return connection.refuse(.tls) }
        if mode == Preamble.tlsMode { bytes.moveReaderIndex(forwardBy: 1) }
        do {
            let handler = NIOSSLServerHandler(context: security.context)
            try context.pipeline.syncOperations.addHandler(handler, position: .after(self))
        } catch {
            return connection.end(.network("cannot begin TLS: \(error)"))
        }
        pass(bytes, context)
    }

    /// Hands on what came, and everything after it.
    private func pass(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
        // Fails only when the connection has ended meanwhile, and then nothing more comes.
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
}

/// Sends the mode byte for TLS before anything else.
final class OutgoingModeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelActive(context: ChannelHandlerContext) {
        let mode = ByteBuffer(bytes: [Preamble.tlsMode])
        // It leaves with the first bytes of TLS.
        context.write(wrapOutboundOut(mode), promise: nil)
        context.fireChannelActive()
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
}
