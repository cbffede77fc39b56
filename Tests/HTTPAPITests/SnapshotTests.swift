import Dispatch
import Logging
import Model
import NIOCore
import NIOPosix
import Replica
import Synchronization
import Testing

@testable import HTTPAPI

/// `/v1/snapshot` carries archives both ways, piece by piece, whatever stands behind it.
@Suite struct SnapshotTests {
    /// A port that gives and takes bytes.
    private final class Port: SnapshotPort {
        struct State {
            var refusal: SnapshotRefusal?
            var savedStale: Bool?
            var restored: [UInt8]?
            var archive: [UInt8] = []
            var breaksAfter: Int?
            var wasCancelled = false
        }

        let state = Mutex(State())

        func save(
            stale: Bool,
            completion: @escaping @Sendable (Result<SavedSnapshot, SnapshotRefusal>) -> Void
        ) {
            let state = state.withLock { state in
                state.savedStale = stale
                return state
            }
            if let refusal = state.refusal { return completion(.failure(refusal)) }
            let pipe = BytePipe(capacity: 2)
            completion(
                .success(
                    SavedSnapshot(
                        index: LogIndex(rawValue: 46),
                        knowsLeader: true,
                        lastContactMilliseconds: 3,
                        source: pipe
                    )
                )
            )
            DispatchQueue.global().async {
                do throws(BytePipe.Cancelled) {
                    for start in stride(from: 0, to: state.archive.count, by: 100_000) {
                        if let limit = state.breaksAfter, start >= limit {
                            return pipe.finish(.failure(SnapshotRefusal("broken")))
                        }
                        let end = min(start + 100_000, state.archive.count)
                        let piece = Array(state.archive[start..<end])
                        try piece.withUnsafeBufferPointer { (bytes) throws(BytePipe.Cancelled) in
                            try pipe.send(UnsafeRawBufferPointer(bytes))
                        }
                    }
                    pipe.finish()
                } catch {
                    self.state.withLock { $0.wasCancelled = true }
                }
            }
        }

        func restore(
            _ archive: UploadedBody,
            completion: @escaping @Sendable (Result<Void, SnapshotRefusal>) -> Void
        ) {
            DispatchQueue.global().async {
                do throws(SnapshotRefusal) {
                    let bytes = try archive.read(at: 0, count: archive.sizeBytes)
                    let refusal = self.state.withLock { state in
                        state.restored = bytes
                        return state.refusal
                    }
                    completion(refusal.map { .failure($0) } ?? .success(()))
                } catch {
                    completion(.failure(error))
                }
            }
        }
    }

    /// A server on a port of its own, and the raw bytes of one connection to it.
    private func exchange(
        _ port: Port,
        limits: HTTPLimits = HTTPLimits(),
        _ request: [UInt8]
    ) async throws -> [UInt8] {
        var settings = HTTPSettings()
        settings.limits = limits
        let group = MultiThreadedEventLoopGroup.singleton
        let server = LogServer(id: "s1", nodeName: "one", address: "127.0.0.1:8300", isVoter: true)
        let replica = Replica(
            eventLoop: group.next(),
            log: InMemoryLog(server: server),
            wallClock: { Timestamp(nanosecondsSinceEpoch: 1) }
        )
        replica.start()
        let services = APIServices(
            settings: settings,
            replica: replica,
            agent: TestAgent(),
            snapshots: port,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let http = HTTPServer(
            group: group,
            services: services,
            routes: .standard(for: services)
        )
        try await http.start()
        let address = try await http.listen(on: .tcp(host: "127.0.0.1", port: 0))
        let received = group.next().makePromise(of: [UInt8].self)
        let channel = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(received))
                }
            }
            .connect(to: #require(address)).get()
        try await channel.writeAndFlush(ByteBuffer(bytes: request))
        let bytes = try await received.futureResult.get()
        await http.stop()
        return bytes
    }

    /// Collects what comes until the connection ends.
    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let promise: EventLoopPromise<[UInt8]>
        private var bytes: [UInt8] = []

        init(_ promise: EventLoopPromise<[UInt8]>) {
            self.promise = promise
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes += unwrapInboundIn(data).readableBytesView
        }

        func channelInactive(context: ChannelHandlerContext) {
            promise.succeed(bytes)
        }
    }

    private static func head(of reply: [UInt8]) -> (text: String, body: [UInt8]) {
        let mark = Array("\r\n\r\n".utf8)
        guard let end = reply.indices.first(where: { reply[$0...].starts(with: mark) }) else {
            return (String(decoding: reply, as: UTF8.self), [])
        }
        return (String(decoding: reply[..<end], as: UTF8.self), Array(reply[(end + 4)...]))
    }

    /// The body that chunks carry, or nil when they do not end.
    private static func unchunked(_ body: [UInt8]) -> [UInt8]? {
        var rest = body[...]
        var content: [UInt8] = []
        while let lineEnd = rest.firstIndex(of: 0x0D) {
            let digits = String(decoding: rest[..<lineEnd], as: UTF8.self)
            guard let size = Int(digits, radix: 16) else { return nil }
            rest = rest[(lineEnd + 2)...]
            guard size > 0 else { return content }
            guard rest.count >= size + 2 else { return nil }
            content += rest.prefix(size)
            rest = rest.dropFirst(size + 2)
        }
        return nil
    }

    private static func request(_ line: String, _ fields: String = "") -> [UInt8] {
        Array("\(line) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(fields)\r\n".utf8)
    }

    private static let archive = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

    @Test func `a saved archive arrives in chunks, with the fields of Consul's reply`() async throws
    {
        let port = Port()
        port.state.withLock { $0.archive = Self.archive }
        let reply = try await exchange(port, Self.request("GET /v1/snapshot?stale"))
        let (head, body) = Self.head(of: reply)
        let lines = head.split(separator: "\r\n").filter { !$0.hasPrefix("Date") }
        #expect(
            lines == [
                "HTTP/1.1 200 OK", "Vary: Accept-Encoding", "X-Consul-Index: 46",
                "X-Consul-Knownleader: true", "X-Consul-Lastcontact: 3",
                "Content-Type: application/x-gzip", "Transfer-Encoding: chunked",
                "Connection: close",
            ]
        )
        #expect(Self.unchunked(body) == Self.archive)
        #expect(port.state.withLock { $0.savedStale } == true)
    }

    @Test func `an HTTP 1.0 client gets the archive up to the end of the connection`() async throws
    {
        let port = Port()
        port.state.withLock { $0.archive = Self.archive }
        let reply = try await exchange(port, Array("GET /v1/snapshot HTTP/1.0\r\n\r\n".utf8))
        #expect(Self.head(of: reply).body == Self.archive)
    }

    @Test func `an archive that breaks off does not look whole`() async throws {
        let port = Port()
        port.state.withLock {
            $0.archive = Self.archive
            $0.breaksAfter = 500_000
        }
        let reply = try await exchange(port, Self.request("GET /v1/snapshot"))
        let (head, body) = Self.head(of: reply)
        #expect(head.hasPrefix("HTTP/1.1 200"))
        #expect(Self.unchunked(body) == nil)
    }

    @Test func `a refused save is an error with its text`() async throws {
        let port = Port()
        port.state.withLock { $0.refusal = SnapshotRefusal("No cluster leader") }
        let reply = try await exchange(port, Self.request("GET /v1/snapshot"))
        let (head, body) = Self.head(of: reply)
        #expect(head.hasPrefix("HTTP/1.1 500"))
        #expect(body == Array("No cluster leader".utf8))
    }

    @Test(arguments: [0, 1, 1 << 20, 3_000_000])
    func `an upload reaches the port whole`(size: Int) async throws {
        let port = Port()
        let body = Array(Self.archive.prefix(size))
        let plain = Self.request("PUT /v1/snapshot", "Content-Length: \(size)\r\n") + body
        let (head, text) = Self.head(of: try await exchange(port, plain))
        #expect(head.hasPrefix("HTTP/1.1 200 OK"))
        #expect(text.isEmpty)
        #expect(port.state.withLock { $0.restored } == body)

        let chunked =
            Self.request("PUT /v1/snapshot", "Transfer-Encoding: chunked\r\n")
            + (size > 0
                ? Array("\(String(size, radix: 16))\r\n".utf8) + body + Array("\r\n".utf8) : [])
            + Array("0\r\n\r\n".utf8)
        port.state.withLock { $0.restored = nil }
        #expect(Self.head(of: try await exchange(port, chunked)).text.hasPrefix("HTTP/1.1 200 OK"))
        #expect(port.state.withLock { $0.restored } == body)
    }

    @Test func `what cannot be restored is refused`() async throws {
        let port = Port()
        port.state.withLock { $0.refusal = SnapshotRefusal("not a snapshot") }
        let request = Self.request("PUT /v1/snapshot", "Content-Length: 1\r\n") + [7]
        let (head, body) = Self.head(of: try await exchange(port, request))
        #expect(head.hasPrefix("HTTP/1.1 500"))
        #expect(body == Array("not a snapshot".utf8))

        let stale = Self.request("PUT /v1/snapshot?stale", "Content-Length: 1\r\n") + [7]
        #expect(Self.head(of: try await exchange(port, stale)).body.starts(with: "stale not".utf8))

        var limits = HTTPLimits()
        limits.uploadBytes = 1000
        let large = Self.request("PUT /v1/snapshot", "Content-Length: 1001\r\n")
        let (status, _) = Self.head(of: try await exchange(port, limits: limits, large))
        #expect(status.hasPrefix("HTTP/1.1 413"))

        limits = HTTPLimits()
        limits.uploadDirectory = "/nowhere"
        let (failed, reason) = Self.head(of: try await exchange(port, limits: limits, request))
        #expect(failed.hasPrefix("HTTP/1.1 500"))
        #expect(String(decoding: reason, as: UTF8.self).contains("/nowhere"))
    }

    @Test func `without a port the routes say so`() throws {
        let server = TestServer()
        let reply = ParsedReply(try server.connect().get("/v1/snapshot"))
        #expect(reply.status == 501)
        #expect(reply.body.hasPrefix("Saving and restoring snapshots"))
    }

    @Test func `a pipe holds its maker back, and lets it go when nobody reads`() throws {
        let pipe = BytePipe(capacity: 1)
        let bytes: [UInt8] = [1]
        try bytes.withUnsafeBytes { try pipe.send($0) }
        let stopped = DispatchSemaphore(value: 0)
        DispatchQueue.global().async {
            do throws(BytePipe.Cancelled) {
                while true {
                    try [UInt8](repeating: 2, count: 1).withUnsafeBufferPointer {
                        (bytes) throws(BytePipe.Cancelled) in
                        try pipe.send(UnsafeRawBufferPointer(bytes))
                    }
                }
            } catch {
                stopped.signal()
            }
        }
        pipe.cancel()
        stopped.wait()
    }
}
