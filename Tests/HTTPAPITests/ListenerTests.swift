import Logging
import Model
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Replica
import TLSSupport
import Testing
import Wire

@testable import HTTPAPI

/// The server on real sockets; everything else is tested without them.
@Suite struct ListenerTests {
    /// Runs `body` with a started server, and stops both replica and server after it.
    private func withServer(
        _ settings: HTTPSettings = HTTPSettings(),
        _ body: (HTTPServer) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let server = LogServer(id: "s1", nodeName: "one", address: "127.0.0.1:8300", isVoter: true)
        let replica = Replica(
            eventLoop: group.next(),
            log: InMemoryLog(server: server),
            wallClock: { Timestamp(nanosecondsSinceEpoch: 1_000_000_000) }
        )
        replica.start()
        let services = APIServices(
            settings: settings,
            replica: replica,
            agent: TestAgent(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let http = HTTPServer(
            group: group,
            services: services,
            routes: .standard(for: services)
        )
        try await http.start()
        try await body(http)
        await http.stop()
        await replica.stop()
    }

    /// Sends `text` and gives what the server sends until it closes.
    private func exchange(
        _ address: SocketAddress,
        _ text: String,
        tls: NIOSSLContext? = nil
    ) async throws -> String {
        let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(to: address) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = try NIOSSLClientHandler(
                            context: tls,
                            serverHostname: "localhost"
                        )
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel
                    )
                }
            }
        return try await client.executeThenClose { inbound, outbound in
            // A server that turns the client away has answered and closed before it is asked.
            try? await outbound.write(ByteBuffer(string: text))
            var received = ""
            for try await bytes in inbound { received += String(buffer: bytes) }
            return received
        }
    }

    private let closing = "GET /v1/status/leader HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    @Test func requestsOverTCPAreAnswered() async throws {
        try await withServer { http in
            let bound = try await http.listen(on: .tcp(host: "127.0.0.1", port: 0))
            let address = try #require(bound)
            let reply = try ParsedReply(await exchange(address, closing))
            #expect(reply.status == 200)
            #expect(reply.body == "\"127.0.0.1:8300\"")
        }
    }

    @Test func requestsOverTLSAreAnswered() async throws {
        let context = try TestCertificate.localhost.serverContext()
        try await withServer { http in
            let listener = HTTPListener.tls(host: "127.0.0.1", port: 0, context)
            let bound = try await http.listen(on: listener)
            let address = try #require(bound)
            let tls = try TestCertificate.localhost.clientContext()
            let reply = try ParsedReply(await exchange(address, closing, tls: tls))
            #expect(reply.status == 200)
            #expect(reply.body == "\"127.0.0.1:8300\"")
        }
    }

    @Test func requestsOverAUnixSocketAreAnswered() async throws {
        try await withServer { http in
            let path = "/tmp/muster-\(UUIDText.random()).sock"
            try await http.listen(on: .unix(path: path, UnixSocketPermissions(mode: 0o600)))
            let address = try SocketAddress(unixDomainSocketPath: path)
            #expect(try ParsedReply(await exchange(address, closing)).status == 200)
        }
    }

    @Test func aClientWithTooManyConnectionsIsTurnedAway() async throws {
        var settings = HTTPSettings()
        settings.limits.connectionsPerClient = 0
        try await withServer(settings) { http in
            let bound = try await http.listen(on: .tcp(host: "127.0.0.1", port: 0))
            let address = try #require(bound)
            let reply = try ParsedReply(await exchange(address, closing))
            #expect(reply.status == 429)
            #expect(reply.body.hasPrefix("Your IP is issuing too many concurrent connections"))
        }
    }

    @Test func aLargeBodyThatIsRefusedDoesNotLoseItsAnswer() async throws {
        try await withServer { http in
            let bound = try await http.listen(on: .tcp(host: "127.0.0.1", port: 0))
            let address = try #require(bound)
            let body = String(repeating: "x", count: 3_000_000)
            let head = "PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.count)\r\n\r\n"
            let reply = try ParsedReply(await exchange(address, head + body))
            #expect(reply.status == 413)
        }
    }
}
