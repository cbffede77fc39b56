import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A registry on the loopback that does exactly what a test says, request by request.
///
/// Nothing is answered until the test takes a request with ``next(_:)`` and answers, hangs up on
/// or ignores it: the test and the code under test move in lock step, without sleeping.
public final class ScriptedRegistry: Sendable {
    private struct State {
        var arrived: [ScriptedRequest] = []
        var waiting: [(prefix: String, continuation: CheckedContinuation<ScriptedRequest, Never>)] =
            []
        var channel: (any Channel)?
        var automatic: [(prefix: String, reply: @Sendable (ScriptedRequest) -> ScriptedReply)] = []
    }

    private let state = Mutex(State())

    /// Makes a registry that does not listen yet.
    public init() {}

    /// Starts listening on a free port and returns it.
    public func start() async throws -> Int {
        let channel = try await bootstrap().bind(host: "127.0.0.1", port: 0).get()
        state.withLock { $0.channel = channel }
        return channel.localAddress?.port ?? 0
    }

    /// Starts listening on a unix socket.
    public func start(socketPath: String) async throws {
        let channel = try await bootstrap().bind(unixDomainSocketPath: socketPath).get()
        state.withLock { $0.channel = channel }
    }

    /// Stops listening; connections that exist stay until the other side or the test closes them.
    public func stop() async throws {
        let channel = state.withLock { state in
            let channel = state.channel
            state.channel = nil
            return channel
        }
        try await channel?.close()
    }

    /// The next request whose path begins with `prefix`; waits until there is one.
    ///
    /// A test that runs into its time limit here ends the process: the message says what it lacked.
    public func next(_ prefix: String = "/") async -> ScriptedRequest {
        await withTaskCancellationHandler {
            await arrival(prefix)
        } onCancel: {
            preconditionFailure("no request to \(prefix) came before the test was cancelled")
        }
    }

    private func arrival(_ prefix: String) async -> ScriptedRequest {
        await withCheckedContinuation { continuation in
            let request: ScriptedRequest? = state.withLock { state in
                if let index = state.arrived.firstIndex(where: { $0.target.hasPrefix(prefix) }) {
                    return state.arrived.remove(at: index)
                }
                state.waiting.append((prefix, continuation))
                return nil
            }
            if let request { continuation.resume(returning: request) }
        }
    }

    /// How many requests arrived that nobody has taken.
    public var unclaimed: Int { state.withLock { $0.arrived.count } }

    /// Answers every request whose path begins with `prefix` from now on, unseen by ``next(_:)``.
    public func answer(
        _ prefix: String,
        with reply: @escaping @Sendable (ScriptedRequest) -> ScriptedReply
    ) {
        state.withLock { $0.automatic.insert((prefix, reply), at: 0) }
    }

    private func bootstrap() -> ServerBootstrap {
        ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                        withPipeliningAssistance: false
                    )
                    try channel.pipeline.syncOperations.addHandler(
                        ScriptedHandler(registry: self)
                    )
                }
            }
    }

    fileprivate func arrived(_ request: ScriptedRequest) {
        enum Action {
            case reply(ScriptedReply)
            case hand(CheckedContinuation<ScriptedRequest, Never>)
            case keep
        }
        let action: Action = state.withLock { state in
            for (prefix, reply) in state.automatic where request.target.hasPrefix(prefix) {
                return .reply(reply(request))
            }
            let index = state.waiting.firstIndex { request.target.hasPrefix($0.prefix) }
            guard let index else {
                state.arrived.append(request)
                return .keep
            }
            return .hand(state.waiting.remove(at: index).continuation)
        }
        switch action {
        case .reply(let reply): request.answer(reply)
        case .hand(let continuation): continuation.resume(returning: request)
        case .keep: break
        }
    }
}

/// What a scripted registry answers.
public struct ScriptedReply: Sendable {
    /// The HTTP status.
    public var status: Int
    /// The headers, `Content-Length` aside.
    public var headers: [(String, String)]
    /// The body.
    public var body: String

    /// Makes a reply with the header `X-Consul-Index` when there is an index.
    public init(_ status: Int = 200, index: UInt64? = nil, _ body: String = "") {
        self.status = status
        headers = index.map { [("X-Consul-Index", String($0))] } ?? []
        self.body = body
    }
}

/// A request that reached a scripted registry.
public struct ScriptedRequest: Sendable {
    /// The HTTP method.
    public let method: String
    /// Path and query string.
    public let target: String
    /// The headers in their order.
    public let headers: [(name: String, value: String)]
    /// The body.
    public let body: String
    private let channel: any Channel

    fileprivate init(head: HTTPRequestHead, body: String, channel: any Channel) {
        method = head.method.rawValue
        target = head.uri
        headers = head.headers.map { ($0.name, $0.value) }
        self.body = body
        self.channel = channel
    }

    /// The value of a query parameter, still encoded; empty when it has none, nil when absent.
    public func parameter(_ name: String) -> String? {
        guard let query = target.split(separator: "?", maxSplits: 1).dropFirst().first else {
            return nil
        }
        for part in query.split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.first.map(String.init) == name {
                return pair.count > 1 ? String(pair[1]) : ""
            }
        }
        return nil
    }

    /// The first header of that name.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// Sends the answer.
    public func answer(_ reply: ScriptedReply) {
        var head = HTTPResponseHead(
            version: .http1_1,
            status: HTTPResponseStatus(statusCode: reply.status)
        )
        for (name, value) in reply.headers { head.headers.add(name: name, value: value) }
        head.headers.add(name: "Content-Length", value: String(reply.body.utf8.count))
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        let body = HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: reply.body)))
        channel.write(body, promise: nil)
        channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
    }

    /// Sends an answer with status, index and body.
    public func answer(_ status: Int = 200, index: UInt64? = nil, _ body: String = "") {
        answer(ScriptedReply(status, index: index, body))
    }

    /// Closes the connection without an answer.
    public func hangUp() {
        channel.close(promise: nil)
    }

    /// Returns when the connection is closed, by whichever side.
    public func closed() async {
        // The future only fails when closing fails, and then the connection is gone as well.
        try? await channel.closeFuture.get()
    }
}

/// Collects requests and hands them to the registry.
private final class ScriptedHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    private let registry: ScriptedRegistry
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()

    init(registry: ScriptedRegistry) { self.registry = registry }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.clear()
        case .body(var part): body.writeBuffer(&part)
        case .end:
            guard let head else { return }
            self.head = nil
            registry.arrived(
                ScriptedRequest(
                    head: head,
                    body: String(buffer: body),
                    channel: context.channel
                )
            )
        }
    }
}
