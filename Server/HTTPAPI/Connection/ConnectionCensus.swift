import NIOCore
import Synchronization

/// Counts the open connections, in all and per client address.
final class ConnectionCensus: Sendable {
    private struct State {
        var total = 0
        var perClient: [String: Int] = [:]
    }

    private let limits: HTTPLimits
    private let state = Mutex(State())

    init(limits: HTTPLimits) {
        self.limits = limits
    }

    /// What the client is told that is over its limit.
    ///
    /// - Source: Consul: `limits.http_max_conns_per_client`, status 429.
    static let refusal: String = {
        let text =
            "Your IP is issuing too many concurrent connections, please rate limit your calls\n"
        return "HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\n"
            + "Content-Length: \(text.utf8.count)\r\nConnection: close\r\n\r\n\(text)"
    }()

    /// The name under which a client is counted; those of a unix socket are not counted per client.
    static func client(at address: SocketAddress?) -> String? {
        switch address {
        case .v4, .v6: address?.ipAddress
        default: nil
        }
    }

    /// Counts a connection, unless a limit is reached.
    func enter(_ client: String?) -> Bool {
        state.withLock { state in
            guard state.total < limits.connections else { return false }
            if let client {
                let count = state.perClient[client, default: 0]
                guard count < limits.connectionsPerClient else { return false }
                state.perClient[client] = count + 1
            }
            state.total += 1
            return true
        }
    }

    func leave(_ client: String?) {
        state.withLock { state in
            state.total -= 1
            guard let client, let count = state.perClient[client] else { return }
            state.perClient[client] = count == 1 ? nil : count - 1
        }
    }
}

/// The only handler of a connection that is one too many.
final class RefusalHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelActive(context: ChannelHandlerContext) {
        let bytes = ByteBuffer(string: ConnectionCensus.refusal)
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
    }
}
