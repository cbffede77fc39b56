import MusterAPI
import MusterTesting
import Testing

/// Answers that are wrong at the level of HTTP or below: an error each, never a hang or a trap.
@Suite(.timeLimit(.minutes(3))) struct HostileAnswerTests {
    private static let ok = "HTTP/1.1 200 OK\r\n"

    private static let answers: [(String, MusterError.Code)] = [
        ("", MusterError.Code.unreachable),
        ("HTTP/1.1 200", .unreachable),
        ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n\"a", .unreachable),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n\"a", .unreachable),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\"a:1\"", .invalidResponse),
        ("HTTP/1.1 200 OK\r\nContent-Length: nine\r\n\r\n\"a:1\"", .invalidResponse),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\"a:1\"", .invalidResponse),
        ("SSH-2.0-OpenSSH_9.2\r\n", .invalidResponse),
        ("\u{16}\u{3}\u{1}\u{0}\u{5}hello", .invalidResponse),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .invalidResponse),
        ("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n\"a:1\"\"", .invalidResponse),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n\"", .tooLarge),
        (
            "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            .badRequest
        ),
    ]

    @Test(arguments: answers)
    func aBrokenAnswerIsAnErrorOfItsKind(_ answer: String, _ code: MusterError.Code) async throws {
        try await withPlainServer(answering: answer) { _, client in
            let error = await #expect(throws: MusterError.self) {
                _ = try await client.status.leader()
            }
            #expect(error?.code == code, "\(error?.description ?? "")")
            #expect(error?.request.contains("/v1/status/leader") == true)
        }
    }

    @Test func aBodyWithoutEndIsCutOffAtTheLimit() async throws {
        try await withPlainServer({ $0.maximumResponseBytes = 100_000 }) { server, client in
            let leader = Task { try await client.status.leader() }
            let connection = await server.next()
            connection.send(Self.ok + "Transfer-Encoding: chunked\r\n\r\n")
            let chunk = "2710\r\n" + String(repeating: "x", count: 10_000) + "\r\n"
            for _ in 0..<20 { connection.send(chunk) }
            let error = await #expect(throws: MusterError.self) { _ = try await leader.value }
            #expect(error?.code == .tooLarge)
            await connection.closed()
        }
    }

    @Test(arguments: ["", "abc", "-1", "1.5", "18446744073709551616", "0x10", " "])
    func anIndexThatIsNoneCountsAsNoIndex(_ index: String) async throws {
        try await withRegistry { registry, client in
            registry.answer("/v1/catalog/nodes") { _ in
                var reply = ScriptedReply(200, "[]")
                reply.headers.append(("X-Consul-Index", index))
                return reply
            }
            let nodes = try await client.catalog.nodes()
            #expect(nodes.index == 0)
        }
    }

    @Test func whatTheHeadersSayIsHandedOn() async throws {
        try await withRegistry { registry, client in
            registry.answer("/v1/catalog/nodes") { _ in
                var reply = ScriptedReply(200, index: .max, "[]")
                reply.headers += [
                    ("x-consul-knownleader", "false"), ("X-Consul-LastContact", "1500"),
                    ("X-Cache", "HIT"), ("Age", "7"), ("X-Consul-ContentHash", "abc"),
                    ("X-Consul-Default-ACL-Policy", "deny"),
                    ("X-Consul-Translate-Addresses", "true"),
                ]
                return reply
            }
            let nodes = try await client.catalog.nodes()
            #expect(nodes.index == .max)
            #expect(!nodes.knownLeader)
            #expect(nodes.lastContact == .milliseconds(1500))
            #expect(nodes.cacheHit == true)
            #expect(nodes.age == .seconds(7))
            #expect(nodes.contentHash == "abc")
            #expect(nodes.defaultACLPolicy == "deny")
            #expect(nodes.hasTranslatedAddresses)
        }
    }

    @Test func invalidUTF8IsAnInvalidResponse() async throws {
        try await withRegistry { registry, client in
            let body = Array(#"[{"Node":{"Node":""#.utf8) + [0xFF, 0xC0] + Array(#""}}]"#.utf8)
            registry.answer("/v1/health/service/") { _ in ScriptedReply(200, index: 1, bytes: body)
            }
            let error = await #expect(throws: MusterError.self) {
                _ = try await client.health.service("web")
            }
            #expect(error?.code == .invalidResponse)
            #expect(error?.message.contains("UTF-8") == true)
        }
    }

    @Test func aHeaderThatCannotBeSentIsABadRequest() async throws {
        try await withRegistry { registry, client in
            let options = QueryOptions(token: "line\r\nbreak")
            let error = await #expect(throws: MusterError.self) {
                _ = try await client.catalog.nodes(options: options)
            }
            #expect(error?.code == .badRequest)
            #expect(registry.unclaimed == 0)
        }
    }

    @Test func aSocketThatIsNotThereIsUnreachableAtOnce() async throws {
        let path = "/tmp/muster-api-\(UInt64.random(in: 0...UInt64.max)).sock"
        let configuration = ClientConfiguration(address: .unixSocket(path: path))
        try await MusterClient.withClient(configuration) { client in
            let error = await #expect(throws: MusterError.self) {
                try await client.agent.reload()
            }
            #expect(error?.code == .unreachable)
            #expect(error?.message.contains("no connection") == true, "\(error?.message ?? "")")
        }
    }

    @Test func aNameThatDoesNotResolveIsUnreachable() async throws {
        // RFC 6761 §6.4: a name under `invalid` never resolves.
        let configuration = ClientConfiguration(address: .http(host: "registry.invalid"))
        try await MusterClient.withClient(configuration) { client in
            let error = await #expect(throws: MusterError.self) {
                try await client.agent.reload()
            }
            #expect(error?.code == .unreachable)
        }
    }

    @Test func aClientThatWasShutDownSaysSo() async throws {
        let client = try MusterClient()
        try await client.shutdown()
        let error = await #expect(throws: MusterError.self) { _ = try await client.status.leader() }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("shut down") == true)
    }
}
