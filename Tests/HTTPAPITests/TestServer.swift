import Logging
import Model
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Replica
import StateStore
import Testing

@testable import HTTPAPI

/// An agent that has no routes but those a test adds.
struct TestAgent: AgentPort {
    var routes: @Sendable (inout RouteTable) -> Void = { _ in }
    var isLeaving: Bool { false }

    func addRoutes(to table: inout RouteTable) {
        routes(&table)
    }
}

/// The HTTP API over an in-memory log, everything on one loop whose time is moved by hand.
final class TestServer {
    let loop = EmbeddedEventLoop()
    let replica: Replica
    let state: LoopState

    init(
        settings: HTTPSettings = HTTPSettings(),
        log: (any ReplicatedLog)? = nil,
        routes: @escaping @Sendable (inout RouteTable) -> Void = { _ in }
    ) {
        let server = LogServer(id: "s1", nodeName: "one", address: "127.0.0.1:8300", isVoter: true)
        replica = Replica(
            eventLoop: loop,
            log: log ?? InMemoryLog(server: server),
            wallClock: { Timestamp(nanosecondsSinceEpoch: 1_000_000_000) }
        )
        replica.start()
        loop.run()
        var settings = settings
        settings.nodeName = "one"
        let services = APIServices(
            settings: settings,
            replica: replica,
            agent: TestAgent(routes: routes),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        state = LoopState(
            eventLoop: loop,
            services: services,
            routes: .standard(for: services)
        )
    }

    func connect() throws -> TestConnection {
        try TestConnection(self)
    }

    /// Writes a key without going through HTTP.
    func set(_ key: String, _ value: String = "v") {
        var entry = KeyValueEntry()
        entry.key = key
        entry.value = Array(value.utf8)
        let command = KeyValueCommand(operation: .set, entry: entry)
        replica.propose(.keyValue(command), on: loop) { _ in }
        loop.run()
    }

    /// Registers an instance of a service without going through HTTP.
    func register(_ name: String, node: String = "n1", port: Int = 80) {
        var register = RegisterCommand()
        register.node.name = node
        register.node.address = "10.0.0.1"
        var service = CatalogService()
        service.id = name
        service.name = name
        service.port = port
        register.service = service
        replica.propose(.register(register), on: loop) { _ in }
        loop.run()
    }
}

/// One client's connection to a test server.
final class TestConnection {
    let channel: EmbeddedChannel

    init(_ server: TestServer) throws {
        channel = EmbeddedChannel(loop: server.loop)
        try HTTPServer.addHandlers(to: channel.pipeline.syncOperations, loop: server.state)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
    }

    /// Sends text in one read and gives everything that came back.
    @discardableResult
    func send(_ text: String) throws -> String {
        try send(bytes: Array(text.utf8))
    }

    @discardableResult
    func send(bytes: [UInt8]) throws -> String {
        // Refused bytes are no failure of the test: what counts is what comes back.
        _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
        channel.embeddedEventLoop.run()
        return try received()
    }

    /// Everything that came back since the last call.
    func received() throws -> String {
        var text = ""
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
            text += String(decoding: bytes.readableBytesView, as: UTF8.self)
        }
        return text
    }

    func get(_ path: String, _ fields: String = "") throws -> String {
        try send("GET \(path) HTTP/1.1\r\nHost: x\r\n\(fields)\r\n")
    }

    func put(_ path: String, _ body: String) throws -> String {
        let head = "PUT \(path) HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        return try send(head + body)
    }

    var isOpen: Bool { channel.isActive }
}

/// The parts of one reply.
struct ParsedReply {
    let status: Int
    let head: String
    let body: String

    init(_ text: String) {
        let end = text.range(of: "\r\n\r\n")
        head = end.map { String(text[..<$0.lowerBound]) } ?? text
        body = end.map { String(text[$0.upperBound...]) } ?? ""
        status = Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0
    }

    func field(_ name: String) -> String? {
        for line in head.split(separator: "\r\n") where line.hasPrefix("\(name): ") {
            return String(line.dropFirst(name.count + 2))
        }
        return nil
    }

    var index: Int? { field("X-Consul-Index").flatMap { Int($0) } }
}

extension String {
    /// Where `text` is found first.
    func range(of text: String) -> Range<String.Index>? {
        ranges(of: text).first
    }
}
