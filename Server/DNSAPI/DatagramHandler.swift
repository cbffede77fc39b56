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
        let answer = loop.respond(
            to: envelope.data,
            over: .udp,
            allocator: context.channel.allocator
        )
        guard let answer else { return }
        let reply = AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: answer)
        context.write(wrapOutboundOut(reply), promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
    }

    /// One datagram that cannot be read or answered never ends the socket.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
