import NIOCore

/// One question for another server's greeting.
final class HelloCall: FrameReceiver {
    private let transport: PeerTransport
    private let promise: EventLoopPromise<ServerGreeting>
    private var timer: Scheduled<Void>?

    init(transport: PeerTransport, promise: EventLoopPromise<ServerGreeting>) {
        self.transport = transport
        self.promise = promise
    }

    /// Ends the call after `timeout`, however far it has come.
    func start(_ connection: PeerConnection, timeout: TimeAmount) {
        let loop = transport.eventLoop.assumeIsolated()
        timer = loop.scheduleTask(in: timeout) { [weak connection] in
            let waited = timeout.nanoseconds / 1_000_000
            connection?.end(.ended("no answer within \(waited) ms"))
        }
    }

    func connectionOpened(_ connection: PeerConnection) {
        transport.greet(connection, as: .hello, expecting: nil)
    }

    func receive(
        _ kind: Frame.Kind,
        _ reader: inout PeerReader,
        on connection: PeerConnection
    ) throws(PeerCodecError) {
        switch try GreetingAnswer.decode(kind, &reader) {
        case .accepted(let greeting):
            promise.succeed(greeting)
            connection.end(.answered)
        case .refused(let reason), .outdated(let reason):
            connection.end(.refused(reason))
        }
    }

    /// Fails the promise, unless it has its answer.
    func connectionEnded(_ connection: PeerConnection, _ reason: ConnectionEnd) {
        timer?.cancel()
        transport.callEnded(connection)
        promise.fail(PeerTransportError(reason))
    }
}
