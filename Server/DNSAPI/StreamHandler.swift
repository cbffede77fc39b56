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
    /// A query waits until the state is known to be current.
    private var isHeld = false
    private var context: ChannelHandlerContext?

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
        process(context)
    }

    /// Answers what has arrived whole, up to a query that has to wait.
    private func process(_ context: ChannelHandlerContext) {
        while !isHeld, let query = nextQuery() {
            answered += 1
            incompleteSince = nil
            guard loop.gate.isOpen(at: context.eventLoop.now) else {
                return hold(query, context)
            }
            let answer = loop.respond(
                to: query,
                over: .tcp,
                prefixBytes: 2,
                allocator: context.channel.allocator
            )
            guard send(answer, context) else { return }
        }
        if !isHeld { closeIfSlow(context) }
    }

    /// Writes an answer; false when it was the connection's last.
    private func send(_ answer: ByteBuffer?, _ context: ChannelHandlerContext) -> Bool {
        if var answer {
            let count = UInt16(truncatingIfNeeded: answer.readableBytes - 2)
            answer.setInteger(count, at: answer.readerIndex)
            context.write(wrapOutboundOut(answer), promise: nil)
        }
        guard answered == DNSLimits.queriesPerConnection else { return true }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated()
            .whenComplete { _ in context.close(promise: nil) }
        received = nil
        return false
    }

    /// Has a query wait until the state is known to be current; those behind it wait with it, and
    /// nothing more is read.
    private func hold(_ query: ByteBuffer, _ context: ChannelHandlerContext) {
        isHeld = true
        let isWaiting = loop.gate.wait(on: context.eventLoop) { [weak self] isReadable in
            self?.release(query, isReadable: isReadable)
        }
        if !isWaiting { context.close(promise: nil) }
    }

    private func release(_ query: ByteBuffer, isReadable: Bool) {
        isHeld = false
        // The connection may be gone.
        guard let context else { return }
        let allocator = context.channel.allocator
        let answer =
            isReadable
            ? loop.respond(to: query, over: .tcp, prefixBytes: 2, allocator: allocator)
            : loop.refuse(query, prefixBytes: 2, allocator: allocator)
        guard send(answer, context) else { return }
        process(context)
        context.flush()
        resumeReading(context)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
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
        if context.channel.isWritable, !isHeld {
            context.read()
        } else {
            hasPendingRead = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        resumeReading(context)
        context.fireChannelWritabilityChanged()
    }

    private func resumeReading(_ context: ChannelHandlerContext) {
        guard hasPendingRead, !isHeld, context.channel.isWritable else { return }
        hasPendingRead = false
        context.read()
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
