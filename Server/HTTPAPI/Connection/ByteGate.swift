import NIOCore

/// The first handler of a connection: counts and frames raw bytes, answers known requests at once,
/// and is where every reply leaves.
///
/// A read that is exactly one request head seen before on this loop is answered from its prepared
/// reply without being parsed; everything else goes on to the decoder. The fast way is taken only
/// when nothing is outstanding and the decoder holds no part of a message, so order is kept.
final class ByteGate: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Where the decoder stands.
    private enum Framing {
        /// Between two messages; it holds nothing.
        case boundary
        /// Inside a body of known length.
        case body(remaining: Int)
        /// Somewhere; the fast way is closed for good.
        case unknown
    }

    private let loop: LoopState
    @exclusivity(unchecked) private var context: ChannelHandlerContext?
    @exclusivity(unchecked) private var connection: ConnectionHandler?
    @exclusivity(unchecked) private var framing = Framing.boundary
    /// What the newest request that needed no decoder had.
    @exclusivity(unchecked) private var lastFields: KnownFields.Block?
    @exclusivity(unchecked) private var isReading = false
    @exclusivity(unchecked) private var needsFlush = false
    @exclusivity(unchecked) private var hasPendingRead = false
    /// Once set, whatever arrives is thrown away.
    @exclusivity(unchecked) private var discards = false

    init(loop: LoopState) {
        self.loop = loop
    }

    /// Joins the two handlers of a connection; undone when the connection ends.
    func join(_ connection: ConnectionHandler) {
        self.connection = connection
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        connection = nil
    }

    // MARK: Inbound

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !discards, let connection else { return }
        let bytes = unwrapInboundIn(data)
        isReading = true
        guard case .boundary = framing else { return follow(bytes, connection, context) }
        if connection.isIdle, answerAtOnce(bytes, connection) { return }
        begin(bytes, connection, context)
    }

    /// Answers a read that needs no decoder, or has it answered; false when it needs one.
    private func answerAtOnce(_ bytes: ByteBuffer, _ connection: ConnectionHandler) -> Bool {
        // No reply to a write is ever prepared: their bytes need not be looked up.
        if !bytes.readableBytesView.beginsWithWrite, let reply = loop.preparedReply(forHead: bytes)
        {
            connection.noteActivity()
            write(reply)
            return true
        }
        guard let request = loop.knownFields.request(in: bytes, expected: lastFields) else {
            return false
        }
        lastFields = request.fields
        return connection.take(request, bytes)
    }

    /// Feeds the decoder a read that starts a message, and works out where the message ends.
    private func begin(
        _ bytes: ByteBuffer,
        _ connection: ConnectionHandler,
        _ context: ChannelHandlerContext
    ) {
        let headEnd = bytes.readableBytesView.endOfHead
        let heads = connection.headCount
        framing = .unknown
        if headEnd == bytes.readableBytes { connection.currentHead = bytes }
        defer { connection.decoded = nil }
        context.fireChannelRead(wrapInboundOut(bytes))
        connection.currentHead = nil
        guard let headEnd, connection.headCount == heads + 1 else {
            if headEnd == nil { connection.noteHeadStarted() }
            return
        }
        settle(bytes.readableBytes - headEnd, of: connection.bodyLength)
        if case .boundary = framing, let (head, variant) = connection.decoded {
            loop.knownFields.learn(bytes.readableBytesView.prefix(headEnd), head, variant)
        }
    }

    /// Feeds the decoder a read that continues a message.
    private func follow(
        _ bytes: ByteBuffer,
        _ connection: ConnectionHandler,
        _ context: ChannelHandlerContext
    ) {
        if case .body(let remaining) = framing {
            settle(bytes.readableBytes, of: remaining)
        }
        let heads = connection.headCount
        context.fireChannelRead(wrapInboundOut(bytes))
        connection.decoded = nil
        if connection.headCount == heads { connection.noteHeadStarted() }
    }

    private func settle(_ received: Int, of expected: Int?) {
        guard let expected, received <= expected else { return framing = .unknown }
        framing = received == expected ? .boundary : .body(remaining: expected - received)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        flushIfNeeded()
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection?.connectionEnded()
        connection = nil
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        resumeReading()
        context.fireChannelWritabilityChanged()
    }

    // MARK: Outbound

    func read(context: ChannelHandlerContext) {
        guard context.channel.isWritable, connection?.isSaturated != true else {
            hasPendingRead = true
            return
        }
        context.read()
    }

    /// Reads on, if reading was put off and nothing stands against it any more.
    func resumeReading() {
        guard hasPendingRead, let context, context.channel.isWritable,
            connection?.isSaturated != true
        else { return }
        hasPendingRead = false
        context.read()
    }

    /// Sends bytes; flushed at the end of the current read, or at once outside of one.
    func write(_ bytes: ByteBuffer, promise: EventLoopPromise<Void>? = nil) {
        guard let context else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        context.write(wrapOutboundOut(bytes), promise: promise)
        needsFlush = true
        if !isReading { flushIfNeeded() }
    }

    private func flushIfNeeded() {
        guard needsFlush, let context else { return }
        needsFlush = false
        context.flush()
    }

    /// Sends what was written, then ends our side; what still arrives is thrown away until the
    /// client ends its side or `lingerTime` has passed.
    ///
    /// A close with unread bytes would destroy the reply on its way.
    func finishOutput() {
        discards = true
        guard let context else { return }
        flushIfNeeded()
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }

    func closeNow() {
        discards = true
        context?.close(promise: nil)
    }
}

extension ByteBufferView {
    /// True for what can only be a PUT, POST or DELETE.
    var beginsWithWrite: Bool { first == UInt8(ascii: "P") || first == UInt8(ascii: "D") }

    /// How many bytes the first request head has, its empty line included.
    ///
    /// Nil when it is incomplete, and when a line ends without a carriage return: decoders differ
    /// there.
    var endOfHead: Int? {
        withUnsafeBytes { bytes in
            var position = 0
            while position < bytes.count {
                guard bytes[position] == 0x0A else {
                    position += 1
                    continue
                }
                guard position >= 1, bytes[position - 1] == 0x0D else { return nil }
                if position >= 3, bytes[position - 2] == 0x0A { return position + 1 }
                position += 1
            }
            return nil
        }
    }
}
