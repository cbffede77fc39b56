import NIOCore

/// An answer whose body is made while it is sent.
package struct StreamedReply: Sendable {
    /// Status and fields; its body is not looked at.
    package let head: Reply
    /// Named behind the date, as Go does for what it had to sniff.
    package let contentType: String

    package init(head: Reply, contentType: String) {
        self.head = head
        self.contentType = contentType
    }
}

extension Responder {
    /// Answers the request with a head and whatever the source gives, piece by piece.
    ///
    /// The next piece is asked for when the client took the last one. A source that fails ends the
    /// connection; one whose client is gone is cancelled.
    package func stream(_ reply: StreamedReply, from source: any ByteSource) {
        guard eventLoop.inEventLoop else {
            return eventLoop.execute { stream(reply, from: source) }
        }
        guard beginStream(reply, onClose: { source.cancel() }) else { return source.cancel() }
        pump(source)
    }

    private func pump(_ source: any ByteSource) {
        source.next(on: eventLoop).hop(to: eventLoop).whenComplete { result in
            switch result {
            case .success(let piece?):
                writeStream(piece).whenComplete { result in
                    switch result {
                    case .success: pump(source)
                    case .failure: source.cancel()
                    }
                }
            case .success(nil): endStream()
            case .failure: breakStream()
            }
        }
    }
}

// MARK: On the connection

extension ConnectionHandler {
    /// Sends the head of a streamed answer; false when nobody waits for it any more.
    func beginStream(
        _ serial: UInt64,
        _ reply: StreamedReply,
        _ onClose: @escaping () -> Void
    ) -> Bool {
        guard var current = active, current.serial == serial else { return false }
        // Without chunks only the end of the connection ends the body.
        if current.variant.isHTTP10 { current.variant.closes = true }
        current.isStreaming = true
        current.closeAction = onClose
        active = current
        loop.date.update()
        gate.write(loop.renderer.renderHead(of: reply, current.variant, date: loop.date))
        return true
    }

    /// Sends a piece; the future says when the operating system has it.
    func writeStream(_ serial: UInt64, _ piece: ByteBuffer) -> EventLoopFuture<Void> {
        guard let current = active, current.serial == serial, current.isStreaming else {
            return loop.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }
        clock.progressed(at: loop.tick)
        let promise = loop.eventLoop.makePromise(of: Void.self)
        gate.write(current.variant.isHTTP10 ? piece : piece.asChunk, promise: promise)
        return promise.futureResult
    }

    func endStream(_ serial: UInt64) {
        guard let current = active, current.serial == serial, current.isStreaming else { return }
        let last = current.variant.isHTTP10 ? ByteBuffer() : ByteBuffer(string: "0\r\n\r\n")
        finish(last, closes: current.variant.closes)
    }

    /// Ends the connection in the middle of an answer, which the client notices.
    func breakStream(_ serial: UInt64) {
        guard active?.serial == serial else { return }
        active = nil
        closeNow()
    }
}

extension ByteBuffer {
    /// The bytes as one chunk of a body.
    ///
    /// - Source: RFC 9112 §7.1.
    fileprivate var asChunk: ByteBuffer {
        let head = String(readableBytes, radix: 16) + "\r\n"
        var chunk = ByteBuffer()
        chunk.reserveCapacity(readableBytes + head.utf8.count + 2)
        chunk.writeString(head)
        chunk.writeImmutableBuffer(self)
        chunk.writeString("\r\n")
        return chunk
    }
}
