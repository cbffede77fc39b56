import NIOCore

/// Answers the queries of one TCP connection, in their order.
///
/// ```
/// +-----+-----+----------
/// |   length  | message...
/// +-----+-----+----------
/// ```
/// - Source: RFC 1035 §4.2.2, RFC 7766 §6.2.1.1
final class StreamHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let loop: DNSLoop
    private let onClose: @Sendable () -> Void
    private var received: ByteBuffer?
    private var answered = 0
    /// When the query that has not arrived whole began to arrive.
    private var incompleteSince: NIODeadline?
    /// A read that waits until the client took what was written.
    private var hasPendingRead = false

    init(loop: DNSLoop, onClose: @escaping @Sendable () -> Void) {
        self.loop = loop
        self.onClose = onClose
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard answered < DNSLimits.queriesPerConnection else { return }
        var part = unwrapInboundIn(data)
        if received == nil {
            received = part
        } else {
            received?.writeBuffer(&part)
        }
        while let query = nextQuery() {
            answered += 1
            incompleteSince = nil
            let answer = loop.respond(
                to: query,
                over: .tcp,
                prefixBytes: 2,
                allocator: context.channel.allocator
            )
            if var answer {
                let count = UInt16(truncatingIfNeeded: answer.readableBytes - 2)
                answer.setInteger(count, at: answer.readerIndex)
                context.write(wrapOutboundOut(answer), promise: nil)
            }
            if answered == DNSLimits.queriesPerConnection {
                context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated()
                    .whenComplete { _ in context.close(promise: nil) }
                received = nil
                return
            }
        }
        closeIfSlow(context)
    }

    /// Gives a client that sends byte by byte no more time than one that sends nothing.
    private func closeIfSlow(_ context: ChannelHandlerContext) {
        guard received != nil else {
            incompleteSince = nil
            return
        }
        let now = context.eventLoop.now
        let since = incompleteSince ?? now
        incompleteSince = since
        if now - since > .seconds(DNSLimits.idleSeconds) { context.close(promise: nil) }
    }

    private func nextQuery() -> ByteBuffer? {
        guard var buffer = received,
            let count = buffer.getInteger(at: buffer.readerIndex, as: UInt16.self),
            buffer.readableBytes >= 2 + Int(count)
        else { return nil }
        buffer.moveReaderIndex(forwardBy: 2)
        let query = buffer.readSlice(length: Int(count))
        received = buffer.readableBytes > 0 ? buffer : nil
        return query
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
    }

    func read(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            context.read()
        } else {
            hasPendingRead = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if hasPendingRead, context.channel.isWritable {
            hasPendingRead = false
            context.read()
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        onClose()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
