package import NIOCore

/// Takes the answer of a request whose handler could not answer at once.
///
/// May be used from any thread; the answer is written on the connection's event loop. A second
/// answer, and one to a connection that is gone, is dropped.
package struct Responder: Sendable {
    package let eventLoop: any EventLoop
    private let connection: NIOLoopBound<ConnectionHandler>
    private let serial: UInt64

    /// Must be called on the connection's event loop.
    init(connection: ConnectionHandler, serial: UInt64, eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.connection = NIOLoopBound(connection, eventLoop: eventLoop)
        self.serial = serial
    }

    /// Answers the request.
    package func send(_ reply: Reply) {
        if eventLoop.inEventLoop {
            connection.value.answer(serial, with: reply)
        } else {
            eventLoop.execute { connection.value.answer(serial, with: reply) }
        }
    }

    // What a streamed reply does; all on the event loop.

    func beginStream(_ reply: StreamedReply, onClose: @escaping () -> Void) -> Bool {
        connection.value.beginStream(serial, reply, onClose)
    }

    func writeStream(_ piece: ByteBuffer) -> EventLoopFuture<Void> {
        connection.value.writeStream(serial, piece)
    }

    func endStream() {
        connection.value.endStream(serial)
    }

    func breakStream() {
        connection.value.breakStream(serial)
    }

    /// Calls `action` on the event loop if the connection ends before the answer was sent.
    ///
    /// Must be called on the event loop, at most once.
    package func onClose(_ action: @escaping () -> Void) {
        connection.value.setCloseAction(serial, action)
    }
}
