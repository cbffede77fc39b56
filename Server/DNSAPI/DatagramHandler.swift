import NIOCore

/// Answers each datagram to where it came from.
final class DatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let loop: DNSLoop

    init(loop: DNSLoop) {
        self.loop = loop
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        // A client that does not take its answers makes the kernel drop them; nothing queues up for
        // long.
        guard context.channel.isWritable else { return }
        guard loop.gate.isOpen(at: context.eventLoop.now) else {
            return hold(envelope, context.channel)
        }
        let answer = loop.respond(
            to: envelope.data,
            over: .udp,
            allocator: context.channel.allocator
        )
        guard let answer else { return }
        let reply = AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: answer)
        context.write(wrapOutboundOut(reply), promise: nil)
    }

    /// Answers when the state is known to be current; what is too much is dropped, as by a network.
    private func hold(_ envelope: AddressedEnvelope<ByteBuffer>, _ channel: any Channel) {
        _ = loop.gate.wait(on: channel.eventLoop) { [loop] isReadable in
            let allocator = channel.allocator
            let answer =
                isReadable
                ? loop.respond(to: envelope.data, over: .udp, allocator: allocator)
                : loop.refuse(envelope.data, allocator: allocator)
            guard let answer, channel.isWritable else { return }
            channel.writeAndFlush(
                AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: answer),
                promise: nil
            )
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
    }

    /// One datagram that cannot be read or answered never ends the socket.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
