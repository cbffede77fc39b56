#if GRPC
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import MusterBalancing
import MusterDiscovery
import MusterGRPC
import MusterTesting
import NIOCore
import Synchronization
import Testing

/// Messages that are bytes and nothing else.
struct BytesCoding: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes {
        Bytes(message)
    }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
        bytes.withUnsafeBytes { Array($0) }
    }
}

/// A copy of a service on the loopback.
final class TestServer: RegistrableRPCService, Sendable {
    static func method(_ name: String) -> MethodDescriptor {
        MethodDescriptor(
            fullyQualifiedService: "test.Names",
            method: name,
            type: name == "Name" ? .unary : .serverStreaming
        )
    }

    private struct State {
        var calls = 0
        var failing: RPCError.Code?
        var listener: (any Channel)?
        var connections: [any Channel] = []
        var isDead = false
    }

    let name: String
    /// Gives an element when a stream is held.
    let held: AsyncStream<Void>
    private let holding: AsyncStream<Void>.Continuation
    private let released: AsyncStream<Void>
    private let releasing: AsyncStream<Void>.Continuation
    private let state = Mutex(State())

    init(_ name: String) {
        self.name = name
        (held, holding) = AsyncStream.makeStream()
        (released, releasing) = AsyncStream.makeStream()
    }

    var calls: Int { state.withLock(\.calls) }

    /// Makes every call of `Name` fail from now on; nil makes it succeed.
    func fail(_ code: RPCError.Code?) { state.withLock { $0.failing = code } }

    /// Lets the held stream go on.
    func release() { releasing.yield() }

    /// Starts listening and returns the instance to register.
    func start(weight: UInt32 = 1) async throws -> Instance {
        let transport = HTTP2ServerTransport.Posix(
            address: .ipv4(host: "127.0.0.1", port: 0),
            transportSecurity: .plaintext,
            config: .defaults { config in
                config.channelDebuggingCallbacks.onBindTCPListener = { channel in
                    self.state.withLock { $0.listener = channel }
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
                config.channelDebuggingCallbacks.onAcceptTCPConnection = { channel in
                    let isDead = self.state.withLock { state in
                        state.connections.append(channel)
                        return state.isDead
                    }
                    if isDead { channel.close(promise: nil) }
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
            }
        )
        let server = GRPCServer(transport: transport, services: [self])
        Task { try await server.serve() }
        let address = try await transport.listeningAddress
        return .test(name, port: UInt16(address.ipv4?.port ?? 0), weight: weight)
    }

    /// Ends it as a process ends: its port and all its connections are closed.
    ///
    /// Its task is neither cancelled, which traps in swift-nio when a connection arrives at that
    /// moment, nor awaited: it does not notice that its port has gone.
    func kill() async {
        let (listener, connections) = state.withLock { state in
            state.isDead = true
            return (state.listener, state.connections)
        }
        // Nothing of this matters when it is closed already.
        try? await listener?.close()
        for connection in connections { connection.close(promise: nil) }
    }

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerHandler(
            forMethod: Self.method("Name"),
            deserializer: BytesCoding(),
            serializer: BytesCoding()
        ) { _, _ in
            let failing = self.state.withLock { state in
                state.calls += 1
                return state.failing
            }
            if let failing { throw RPCError(code: failing, message: "as told") }
            return StreamingServerResponse { writer in
                try await writer.write(Array(self.name.utf8))
                return [:]
            }
        }
        router.registerHandler(
            forMethod: Self.method("Hold"),
            deserializer: BytesCoding(),
            serializer: BytesCoding()
        ) { _, _ in
            StreamingServerResponse { writer in
                try await writer.write(Array(self.name.utf8))
                self.holding.yield()
                for await _ in self.released { break }
                try Task.checkCancellation()
                try await writer.write(Array("end".utf8))
                return [:]
            }
        }
    }
}

typealias TestClient = GRPCClient<BalancedTransport>

extension GRPCClient {
    /// The name of the copy that answers.
    func name(options: CallOptions = .defaults) async throws -> String {
        try await unary(
            request: ClientRequest(message: [1]),
            descriptor: TestServer.method("Name"),
            serializer: BytesCoding(),
            deserializer: BytesCoding(),
            options: options
        ) { response in String(decoding: try response.message, as: UTF8.self) }
    }

    /// What a held stream gives until its end.
    func hold(options: CallOptions = .defaults) async throws -> [String] {
        try await serverStreaming(
            request: ClientRequest(message: [1]),
            descriptor: TestServer.method("Hold"),
            serializer: BytesCoding(),
            deserializer: BytesCoding(),
            options: options
        ) { response in
            var texts: [String] = []
            for try await message in response.messages {
                texts.append(String(decoding: message, as: UTF8.self))
            }
            return texts
        }
    }

    /// How often each copy answers.
    func names(_ count: Int) async throws -> [String: Int] {
        var names: [String: Int] = [:]
        for _ in 0..<count { names[try await name(), default: 0] += 1 }
        return names
    }
}

/// Settings in which the instances are taken in turn.
func inTurn(
    _ configure: (inout BalancedTransport.Settings) -> Void = { _ in }
)
    -> BalancedTransport.Settings
{
    var settings = BalancedTransport.Settings()
    settings.policy = .weightedRoundRobin
    settings.balancing.stripes = 1
    settings.balancing.seed = 1
    settings.balancing.outliers = nil
    configure(&settings)
    return settings
}

/// Runs a client of the service `names` over an in-memory discovery.
func withService(
    _ instances: [Instance],
    _ settings: BalancedTransport.Settings = inTurn(),
    _ body: (TestClient, BalancedTransport, InMemoryDiscovery) async throws -> Void
) async throws {
    try await InMemoryDiscovery.withDiscovery { memory in
        memory.set(instances, for: "names")
        let transport = try BalancedTransport(
            service: memory.discovery.service("names"),
            transportSecurity: .plaintext,
            settings: settings
        )
        try await withGRPCClient(transport: transport) { client in
            try await body(client, transport, memory)
        }
    }
}

/// An instance on the loopback at which nobody listens.
func deadInstance(_ name: String) async throws -> Instance {
    let server = TestServer(name)
    let instance = try await server.start()
    await server.kill()
    return instance
}

/// Notes how calls ended.
final class Outcomes: CallRecorder {
    private let list = Mutex<[CallOutcome]>([])
    var all: [CallOutcome] { list.withLock(\.self) }
    func record(_ outcome: CallOutcome, at endpoint: ServiceEndpoint) {
        list.withLock { $0.append(outcome) }
    }
}

/// Calls that wait until an instance is ready.
func waiting(atMost timeout: Duration? = nil) -> CallOptions {
    var options = CallOptions.defaults
    options.waitForReady = true
    options.timeout = timeout
    return options
}

/// Calls that may take so long.
func limited(to timeout: Duration) -> CallOptions {
    var options = CallOptions.defaults
    options.timeout = timeout
    return options
}

/// A retry by gRPC itself, for all methods.
func retrying(_ attempts: Int) throws -> ServiceConfig {
    var method = MethodConfig(names: [MethodConfig.Name(service: "", method: "")])
    method.executionPolicy = .retry(
        RetryPolicy(
            maxAttempts: attempts,
            initialBackoff: .milliseconds(1),
            maxBackoff: .milliseconds(5),
            backoffMultiplier: 1.5,
            retryableStatusCodes: [.unavailable]
        )
    )
    return ServiceConfig(methodConfig: [method])
}
#endif
