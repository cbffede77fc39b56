import NIOCore
import NIOSSL

/// What stands behind a connection; every call is on the connection's event loop.
protocol FrameReceiver: AnyObject {
    /// The connection is there and nothing has been sent yet.
    func connectionOpened(_ connection: PeerConnection)
    /// A frame has come; a body that is not what it should be ends the connection.
    func receive(
        _ kind: Frame.Kind,
        _ reader: inout PeerReader,
        on connection: PeerConnection
    ) throws(PeerCodecError)
    /// All frames of one read have been given.
    func readCompleted(_ connection: PeerConnection)
    /// The connection's first bytes are not of this protocol; it ends after this.
    func met(_ stranger: Stranger, on connection: PeerConnection)
    /// What was written has begun to pile up, or has gone.
    func writabilityChanged(_ connection: PeerConnection)
    /// The connection is no more; called once, also when this side ended it.
    func connectionEnded(_ connection: PeerConnection, _ reason: ConnectionEnd)
}

extension FrameReceiver {
    func readCompleted(_ connection: PeerConnection) {}
    func met(_ stranger: Stranger, on connection: PeerConnection) {}
    func writabilityChanged(_ connection: PeerConnection) {}
}

/// Why a connection has ended.
enum ConnectionEnd: Error, Hashable, CustomStringConvertible {
    /// The other side closed it, or the network did.
    case closed
    /// The socket or TLS failed, or the peer was not reached.
    case network(String)
    /// The bytes are not frames.
    case garbage(PeerCodecError)
    /// The bytes are not of this protocol at all.
    case stranger(Stranger)
    /// The other side refused this one, for this reason.
    case refused(String)
    /// This side ended it, for this reason.
    case ended(String)

    /// What it was for is done.
    static let answered = ConnectionEnd.ended("the question is answered")

    var description: String {
        switch self {
        case .closed: "the other side closed the connection"
        case .network(let text): text
        case .garbage(let error): "what came is not a message: \(error)"
        case .stranger(let stranger): stranger.description
        case .refused(let reason): "refused by the other side: \(reason)"
        case .ended(let reason): reason
        }
    }
}

/// The bytes of one connection between servers, from the preamble on.
final class PeerConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?
    /// Bytes that do not make a whole frame yet.
    private var bytes = ByteBuffer()
    private var hasPreamble = false
    private(set) var isEnded = false
    /// Who is told; nil once the connection has ended.
    var receiver: (any FrameReceiver)?
    /// The greatest frame that is taken, in bytes without its head.
    var frameLimit: Int
    /// When bytes last came.
    private(set) var lastRead = NIODeadline.uptimeNanoseconds(0)
    /// How many bytes have been given to the channel.
    private var writtenBytes = 0
    /// Ends the connection when its handshake takes too long.
    private var handshakeTimer: Scheduled<Void>?
    /// The cluster that the other side named in its greeting.
    var peerCluster: UInt128 = 0
    /// The other end, for the log.
    private(set) var remote = "?"

    init(receiver: any FrameReceiver, frameLimit: Int) {
        self.receiver = receiver
        self.frameLimit = frameLimit
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        lastRead = context.eventLoop.now
        if isEnded { context.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        end(.closed)
    }

    func channelActive(context: ChannelHandlerContext) {
        guard !isEnded else { return context.close(promise: nil) }
        remote = context.remoteAddress.map(PeerConnection.text) ?? "?"
        receiver?.connectionOpened(self)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(.closed)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !TLSFailure.isBareClose(error) else { return end(.closed) }
        end(.network(TLSFailure.text(error) ?? "\(error)"))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isEnded else { return }
        lastRead = context.eventLoop.now
        var incoming = unwrapInboundIn(data)
        var whole = ByteBuffer()
        swap(&whole, &bytes)
        if whole.readableBytes == 0 {
            swap(&whole, &incoming)
        } else {
            whole.discardReadBytes()
            whole.writeBuffer(&incoming)
        }
        do throws(ConnectionEnd) {
            try takeFrames(from: &whole)
        } catch {
            if case .stranger(let stranger) = error { return refuse(stranger) }
            return end(error)
        }
        if !isEnded, whole.readableBytes > 0 { bytes = whole }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        receiver?.readCompleted(self)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        receiver?.writabilityChanged(self)
    }

    // MARK: Reading

    private func takeFrames(from whole: inout ByteBuffer) throws(ConnectionEnd) {
        if !hasPreamble {
            guard try takePreamble(from: &whole) else { return }
            hasPreamble = true
        }
        while !isEnded {
            let result = whole.withUnsafeReadableBytes { takeFrame(from: $0) }
            switch result {
            case .success(0): return
            case .success(let count): whole.moveReaderIndex(forwardBy: count)
            case .failure(let error): throw .garbage(error)
            }
        }
    }

    /// Gives the receiver the first frame; how many bytes it had, 0 when it is not whole.
    private func takeFrame(from raw: UnsafeRawBufferPointer) -> Result<Int, PeerCodecError> {
        do throws(PeerCodecError) {
            guard case .bytes(let count) = try Frame.extent(of: raw, limit: frameLimit),
                raw.count >= count
            else { return .success(0) }
            var (kind, reader) = try Frame.open(UnsafeRawBufferPointer(rebasing: raw[..<count]))
            try receiver?.receive(kind, &reader, on: self)
            try reader.finish()
            return .success(count)
        } catch {
            return .failure(error)
        }
    }

    private func takePreamble(from whole: inout ByteBuffer) throws(ConnectionEnd) -> Bool {
        let start = whole.readableBytesView.prefix(Preamble.sizeBytes)
        if let stranger = Stranger(preamble: Array(start)) { throw .stranger(stranger) }
        guard start.count == Preamble.sizeBytes else { return false }
        whole.moveReaderIndex(forwardBy: Preamble.sizeBytes)
        return true
    }

    // MARK: Writing

    /// Hands bytes to the channel; they leave with the next `flush()`.
    func write(_ buffer: ByteBuffer, promise: EventLoopPromise<Void>? = nil) {
        guard let context, !isEnded else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        writtenBytes += buffer.readableBytes
        context.write(wrapOutboundOut(buffer), promise: promise)
    }

    /// Writes what `encode` adds, and sends it.
    func send(_ encode: (inout PeerWriter) -> Void) {
        var writer = PeerWriter()
        encode(&writer)
        write(ByteBuffer(bytes: writer.bytes))
        flush()
    }

    func flush() {
        context?.flush()
    }

    /// The certificate of the other side; nil without TLS, and when it sent none.
    var certificate: NIOSSLCertificate? {
        // Fails only where there is no TLS.
        try? context?.pipeline.syncOperations.nioSSL_peerCertificate()
    }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    /// How many of the written bytes the socket has taken.
    var takenBytes: Int {
        // Without an answer the channel is gone, and nothing waits in it.
        let waiting = (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        return writtenBytes - waiting
    }

    // MARK: Ending

    /// Gives the handshake this long, from now.
    func startHandshake(_ timeout: TimeAmount) {
        guard let loop = context?.eventLoop, !isEnded else { return }
        handshakeTimer = loop.assumeIsolated().scheduleTask(in: timeout) { [weak self] in
            self?.end(.ended("no greeting within \(timeout.nanoseconds / 1_000_000) ms"))
        }
    }

    func handshakeEnded() {
        handshakeTimer?.cancel()
        handshakeTimer = nil
    }

    /// Ends a connection of somebody who speaks what is not spoken here.
    func refuse(_ stranger: Stranger) {
        receiver?.met(stranger, on: self)
        end(.stranger(stranger))
    }

    /// Closes the connection; its receiver is told why, once.
    func end(_ reason: ConnectionEnd) {
        guard let receiver = ended() else { return }
        context?.close(promise: nil)
        receiver.connectionEnded(self, reason)
    }

    /// As `end`, after everything that was written has left.
    func endAfterWriting(_ reason: ConnectionEnd) {
        guard let receiver = ended() else { return }
        if let context {
            let channel = context.channel
            let sent = context.writeAndFlush(wrapOutboundOut(ByteBuffer()))
            sent.whenComplete { _ in channel.close(promise: nil) }
        }
        receiver.connectionEnded(self, reason)
    }

    /// Marks the end; nil when it was marked before.
    private func ended() -> (any FrameReceiver)? {
        guard !isEnded else { return nil }
        isEnded = true
        bytes = ByteBuffer()
        handshakeEnded()
        defer { receiver = nil }
        return receiver
    }

    private static func text(_ address: SocketAddress) -> String {
        guard let host = address.ipAddress, let port = address.port else { return "\(address)" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
