import AsyncHTTPClient
import MusterBalancing
import MusterHTTP
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// A copy of a service on the loopback that treats each request as the test says.
final class ScriptedInstance: Sendable {
    /// What happens to a request.
    enum Treatment: Sendable {
        /// A whole answer.
        case answer(Int, String = "")
        /// A body whose pieces come one by one, each when the test lets it.
        case pieces([String])
        /// The head and half of the body, then the end of the connection.
        case halfAnswer
        /// The head and half of the body, then a reset.
        case resetWithinBody
        /// The end of the connection without an answer.
        case hangUp
        /// Nothing at all.
        case silence
    }

    private struct State {
        var treatment: @Sendable (HTTPRequestHead) -> Treatment
        var heads: [HTTPRequestHead] = []
        var bodies: [String] = []
        var connections = 0
        var channel: (any Channel)?
    }

    private let state: Mutex<State>
    /// Gives an element for each request.
    let arrivals: AsyncStream<Void>
    private let arrived: AsyncStream<Void>.Continuation
    /// Gives an element for each connection that has ended.
    let closings: AsyncStream<Void>
    private let closed: AsyncStream<Void>.Continuation

    init(_ treatment: @escaping @Sendable (HTTPRequestHead) -> Treatment) {
        state = Mutex(State(treatment: treatment))
        (arrivals, arrived) = AsyncStream.makeStream()
        (closings, closed) = AsyncStream.makeStream()
    }

    convenience init(_ treatment: Treatment) { self.init { _ in treatment } }

    var heads: [HTTPRequestHead] { state.withLock(\.heads) }
    var bodies: [String] { state.withLock(\.bodies) }
    var connections: Int { state.withLock(\.connections) }

    /// Starts listening and returns where.
    func start(tls: NIOSSLContext? = nil) async throws -> ServiceEndpoint {
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.closeFuture.whenComplete { _ in self.closed.yield() }
                self.state.withLock { $0.connections += 1 }
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
                    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try pipeline.addHandler(InstanceHandler(instance: self))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        state.withLock { $0.channel = channel }
        return try #require(
            ServiceEndpoint(host: "127.0.0.1", port: UInt16(channel.localAddress?.port ?? 0))
        )
    }

    func stop() async throws {
        try await state.withLock { state in
            defer { state.channel = nil }
            return state.channel
        }?.close()
    }

    fileprivate func take(_ head: HTTPRequestHead, _ body: String) -> Treatment {
        let treatment = state.withLock { state in
            state.heads.append(head)
            state.bodies.append(body)
            return state.treatment
        }
        arrived.yield()
        return treatment(head)
    }
}

private final class InstanceHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let instance: ScriptedInstance
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()

    init(instance: ScriptedInstance) { self.instance = instance }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.clear()
        case .body(var part):
            body.writeBuffer(&part)
        case .end:
            guard let head else { return }
            self.head = nil
            treat(instance.take(head, String(buffer: body)), context)
        }
    }

    private func treat(_ treatment: ScriptedInstance.Treatment, _ context: ChannelHandlerContext) {
        switch treatment {
        case .answer(let status, let text):
            begin(status, length: text.utf8.count, context)
            piece(text, context)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        case .pieces(let pieces):
            begin(200, length: nil, context)
            for text in pieces { piece(text, context) }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        case .halfAnswer:
            begin(200, length: 10, context)
            piece("01234", context)
            context.flush()
            context.close(promise: nil)
        case .resetWithinBody:
            begin(200, length: 10, context)
            piece("01234", context)
            context.flush()
            // Closing with a zero linger sends a reset instead of an end.
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            (context.channel as? any SocketOptionProvider)?
                .setSoLinger(linger(l_onoff: 1, l_linger: 0))
                .whenComplete { _ in bound.value.close(promise: nil) }
        case .hangUp:
            context.close(promise: nil)
        case .silence:
            break
        }
    }

    private func begin(_ status: Int, length: Int?, _ context: ChannelHandlerContext) {
        var head = HTTPResponseHead(
            version: .http1_1,
            status: HTTPResponseStatus(statusCode: status)
        )
        if let length { head.headers.add(name: "Content-Length", value: String(length)) }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
    }

    private func piece(_ text: String, _ context: ChannelHandlerContext) {
        context.write(
            wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))),
            promise: nil
        )
    }
}

/// A snapshot with these instances, in this order.
func snapshot(_ endpoints: [ServiceEndpoint]) -> ServiceSnapshot {
    ServiceSnapshot(
        instances: endpoints.enumerated().map { number, endpoint in
            Instance(id: InstanceID(node: "n", serviceID: "\(100 + number)"), endpoint: endpoint)
        },
        generation: 1,
        confirmed: .now
    )
}

/// A balancer that takes the endpoints in turn.
func balancer(
    _ endpoints: [ServiceEndpoint],
    _ configure: (inout Balancer.Options) -> Void = { _ in }
) -> Balancer {
    var options = Balancer.Options()
    options.stripes = 1
    // The first turn begins with the first instance of the list.
    options.seed = 0
    configure(&options)
    let balancer = Balancer(options: options)
    balancer.update(snapshot(endpoints))
    return balancer
}

/// Runs `body` with a port that is taken and at which nobody listens: connecting is refused.
func withDeadEndpoint(_ body: (ServiceEndpoint) async throws -> Void) async throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            bind(descriptor, pointer, length) == 0
                && getsockname(descriptor, pointer, &length) == 0
        }
    }
    try #require(result)
    let port = UInt16(bigEndian: address.sin_port)
    try await body(try #require(ServiceEndpoint(host: "127.0.0.1", port: port)))
}

/// Runs `body` with a client as the SDK recommends it.
func withClient(
    _ configure: (inout HTTPClient.Configuration) -> Void = { _ in },
    _ body: (HTTPClient) async throws -> Void
) async throws {
    var configuration = HTTPClient.Configuration.services()
    // On a busy machine a handshake can take longer than between services that are well.
    configuration.timeout.connect = .seconds(20)
    configure(&configuration)
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    do { try await body(client) } catch {
        try await client.shutdown()
        throw error
    }
    try await client.shutdown()
}

/// Notes how calls ended.
final class Outcomes: CallRecorder {
    private let list = Mutex<[CallOutcome]>([])
    var all: [CallOutcome] { list.withLock(\.self) }
    func record(_ outcome: CallOutcome, at endpoint: ServiceEndpoint) {
        list.withLock { $0.append(outcome) }
    }
}
