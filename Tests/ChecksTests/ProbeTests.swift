import Checks
import Glibc
import LocalState
import Model
import NIOCore
import NIOPosix
import Testing

/// A server on loopback that answers every connection with one text and ends it.
private final class CannedServer: Sendable {
    let channel: any Channel

    init(_ answer: String, group: any EventLoopGroup) async throws {
        channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answering(answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    var port: Int { channel.localAddress?.port ?? 0 }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        let answer: String

        init(_ answer: String) {
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard !answer.isEmpty else { return }
            let buffer = context.channel.allocator.buffer(string: answer)
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            context.writeAndFlush(wrapOutboundOut(buffer)).whenComplete { _ in
                bound.value.close(promise: nil)
            }
        }
    }
}

/// A port that nobody listens on, and that nobody else can get while this lives.
private final class ClosedPort {
    let number: Int
    private let socket: CInt

    init() throws {
        let descriptor = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, size) + getsockname(descriptor, generic, &size)
            }
        }
        socket = descriptor
        number = Int(UInt16(bigEndian: address.sin_port))
        try #require(result == 0)
    }

    deinit {
        close(socket)
    }
}

@Suite struct ProbeTests {
    private let group = MultiThreadedEventLoopGroup.singleton

    private func run(
        _ kind: CheckKind,
        limit: Int = 4096,
        _ change: (inout CheckRegistration) -> Void
    ) async throws -> Verdict {
        var definition = CheckRegistration()
        change(&definition)
        let task = CheckTask(id: "c", kind: kind, definition: definition, outputLimit: limit)
        let probe = try #require(ProbeFactory().probe(for: task))
        let loop = group.next()
        let promise = loop.makePromise(of: Verdict.self)
        loop.execute { probe.run(on: loop) { promise.succeed($0) } }
        return try await promise.futureResult.get()
    }

    private func ask(_ answer: String, limit: Int = 4096) async throws -> (Verdict, Int) {
        let server = try await CannedServer(answer, group: group)
        let port = server.port
        let verdict = try await run(.http, limit: limit) {
            $0.http = "http://127.0.0.1:\(port)/health"
        }
        try await server.channel.close().get()
        return (verdict, port)
    }

    @Test func anyAnswerOf2xxPasses() async throws {
        let (verdict, port) = try await ask("HTTP/1.1 204 No Content\r\n\r\n")
        #expect(verdict.status == .passing)
        #expect(
            verdict.output
                == "HTTP GET http://127.0.0.1:\(port)/health: 204 No Content Output: "
        )
    }

    @Test func tooManyRequestsWarns() async throws {
        let (verdict, _) = try await ask(
            "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\nno"
        )
        #expect(verdict.status == .warning)
    }

    @Test(arguments: ["404 Not Found", "500 Internal Server Error", "304 Not Modified"])
    func everyOtherAnswerIsCritical(status: String) async throws {
        let (verdict, _) = try await ask("HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n")
        #expect(verdict.status == .critical)
    }

    @Test func aBodyLongerThanTheLimitKeepsItsEnd() async throws {
        let body = String(repeating: "a", count: 5_000) + "the end"
        let (verdict, _) = try await ask(
            "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)",
            limit: 100
        )
        #expect(verdict.output.hasSuffix("the end"))
        #expect(verdict.output.utf8.count < 250)
    }

    @Test func aRefusedConnectionIsCriticalInGosWords() async throws {
        let closed = try ClosedPort()
        let port = closed.number
        let http = try await run(.http) { $0.http = "http://127.0.0.1:\(port)/" }
        #expect(http.status == .critical)
        #expect(
            http.output
                == "Get \"http://127.0.0.1:\(port)/\": dial tcp 127.0.0.1:\(port): "
                + "connect: connection refused"
        )
        let tcp = try await run(.tcp) { $0.tcp = "127.0.0.1:\(port)" }
        #expect(tcp.status == .critical)
        #expect(
            tcp.output == "dial tcp 127.0.0.1:\(port): connect: connection refused"
        )
        withExtendedLifetime(closed) {}
    }

    @Test func anOpenPortPasses() async throws {
        let server = try await CannedServer("", group: group)
        let port = server.port
        let verdict = try await run(.tcp) { $0.tcp = "127.0.0.1:\(port)" }
        #expect(verdict == Verdict(.passing, "TCP connect 127.0.0.1:\(port): Success"))
        try await server.channel.close().get()
    }

    @Test func aSilentServerEndsInTheTimeOut() async throws {
        let server = try await CannedServer("", group: group)
        let port = server.port
        let verdict = try await run(.http) {
            $0.http = "http://127.0.0.1:\(port)/"
            $0.timeout = .milliseconds(50)
        }
        #expect(verdict.status == .critical)
        #expect(verdict.output.contains("context deadline exceeded"))
        try await server.channel.close().get()
    }

    @Test func redirectsAreFollowed() async throws {
        let target = try await CannedServer(
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone",
            group: group
        )
        let first = try await CannedServer(
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:\(target.port)/x\r\n"
                + "Content-Length: 0\r\n\r\n",
            group: group
        )
        let port = first.port
        let verdict = try await run(.http) { $0.http = "http://127.0.0.1:\(port)/" }
        #expect(verdict.status == .passing)
        #expect(verdict.output.hasSuffix("200 OK Output: done"))
        for server in [first, target] { try await server.channel.close().get() }
    }

    @Test func aServerThatTalksNonsenseIsCritical() async throws {
        for nonsense in ["\u{0}\u{1}\u{2}garbage\r\n\r\n", "HTTP/9.9 abc\r\n\r\n", "HTTP/1.1 2"] {
            let (verdict, _) = try await ask(nonsense)
            #expect(verdict.status == .critical)
        }
    }

    @Test(arguments: ["", "nonsense", "ftp://x/", "http://", "http://[::1", "http://a b/"])
    func aMalformedURLIsCritical(url: String) async throws {
        let verdict = try await run(.http) { $0.http = url }
        #expect(verdict.status == .critical)
    }

    @Test(arguments: [(0, CheckStatus.passing), (1, .warning), (2, .critical), (255, .critical)])
    func theExitCodeOfAScriptIsItsVerdict(code: Int, status: CheckStatus) async throws {
        let verdict = try await run(.script) {
            $0.scriptArguments = ["/bin/sh", "-c", "echo said; echo wrong >&2; exit \(code)"]
        }
        #expect(verdict == Verdict(status, "said\nwrong\n"))
    }

    @Test func aScriptThatCannotBeFoundIsCritical() async throws {
        let absolute = try await run(.script) { $0.scriptArguments = ["/no/such/program"] }
        #expect(
            absolute
                == Verdict(.critical, "fork/exec /no/such/program: no such file or directory")
        )
        let relative = try await run(.script) { $0.scriptArguments = ["no-such-program"] }
        #expect(
            relative
                == Verdict(
                    .critical,
                    "exec: \"no-such-program\": executable file not found in $PATH"
                )
        )
    }

    @Test func aScriptThatTakesTooLongIsKilledWithItsChildren() async throws {
        let verdict = try await run(.script) {
            $0.scriptArguments = ["/bin/sh", "-c", "sleep 600 & wait"]
            $0.timeout = .milliseconds(100)
        }
        #expect(verdict == Verdict(.critical, "Timed out (100ms) running check"))
    }

    @Test func theOutputOfAScriptKeepsItsEnd() async throws {
        let verdict = try await run(.script, limit: 8) {
            $0.scriptArguments = ["/bin/sh", "-c", "printf 0123456789abcdef"]
        }
        #expect(verdict.output == "Captured 8 of 16 bytes\n...\n89abcdef")
    }
}
