import MusterAPI
import MusterTesting
import Testing

@Suite(.timeLimit(.minutes(3))) struct FailureTests {
    @Test(arguments: [
        (400, MusterError.Code.badRequest), (401, .forbidden), (403, .forbidden),
        (404, .notFound), (409, .conflict), (429, .rateLimited), (500, .serverError),
        (503, .unavailable),
    ])
    func aRefusalSaysStatusBodyAndRemedy(_ status: Int, _ code: MusterError.Code) async throws {
        try await withRegistry { registry, client in
            registry.answer("/") { _ in ScriptedReply(status, "because\n") }
            let error = await #expect(throws: MusterError.self) {
                try await client.agent.reload()
            }
            #expect(error?.code == code)
            #expect(error?.status == status)
            #expect(error?.body == "because")
            #expect(error?.request == "PUT /v1/agent/reload")
            #expect(error?.remedy.isEmpty == false)
        }
    }

    @Test func anAnswerThatIsNotJSONIsAnInvalidResponse() async throws {
        try await withRegistry { registry, client in
            for body in ["", "<html>", #"[{"Node":"#, #"{"Node":1}"#, #"[{"Node":17}]"#, "\u{0}"] {
                registry.answer("/v1/catalog/nodes") { _ in ScriptedReply(200, body) }
                let error = await #expect(throws: MusterError.self) {
                    _ = try await client.catalog.nodes()
                }
                #expect(error?.code == .invalidResponse, "\(body)")
            }
        }
    }

    @Test func aLargerAnswerThanAllowedIsRefused() async throws {
        try await withRegistry({ $0.maximumResponseBytes = 10 }) { registry, client in
            registry.answer("/v1/status/leader") { _ in ScriptedReply(200, "\"1234567890\"") }
            let error = await #expect(throws: MusterError.self) {
                _ = try await client.status.leader()
            }
            #expect(error?.code == .tooLarge)
        }
    }

    @Test func aRegistryThatIsNotThereIsUnreachable() async throws {
        let registry = ScriptedRegistry()
        let port = try await registry.start()
        try await registry.stop()
        let address = RegistryAddress.http(host: "127.0.0.1", port: port)
        try await MusterClient.withClient(ClientConfiguration(address: address)) { client in
            let error = await #expect(throws: MusterError.self) {
                _ = try await client.status.leader()
            }
            #expect(error?.code == .unreachable)
        }
    }

    @Test func aConnectionThatBreaksIsUnreachable() async throws {
        try await withRegistry { registry, client in
            async let reply: Void = client.agent.reload()
            await registry.next("/v1/agent/reload").hangUp()
            do {
                try await reply
                Issue.record("the write should have failed")
            } catch let error as MusterError {
                #expect(error.code == .unreachable)
            }
        }
    }

    @Test func aReadOnAConnectionThatTheAgentClosedIsTriedOnceMore() async throws {
        try await withRegistry { registry, client in
            async let leader = client.status.leader()
            await registry.next("/v1/status/leader").hangUp()
            await registry.next("/v1/status/leader").answer(200, "\"a:1\"")
            let answer = try await leader
            #expect(answer == "a:1")
        }
    }

    @Test func anAnswerThatDoesNotComeInTimeIsATimeout() async throws {
        try await withRegistry({ $0.requestTimeout = .milliseconds(20) }) { registry, client in
            registry.answer("/") { _ in .silence }
            let error = await #expect(throws: MusterError.self) {
                _ = try await client.status.leader()
            }
            #expect(error?.code == .timeout)
        }
    }

    @Test func cancellationClosesTheConnectionOfAHangingQuery() async throws {
        try await withRegistry { registry, client in
            let query = Task {
                try await client.health.service("web", options: QueryOptions(index: 5))
            }
            let request = await registry.next("/v1/health/service/web")
            query.cancel()
            await request.closed()
            await #expect(throws: CancellationError.self) { _ = try await query.value }
        }
    }

    @Test func hangingQueriesDoNotDelayOtherRequests() async throws {
        try await withRegistry { registry, client in
            registry.answer("/v1/agent/check/") { _ in ScriptedReply() }
            await withTaskGroup { group in
                for number in 0..<40 {
                    group.addTask {
                        // They are cancelled below.
                        _ = try? await client.health.service(
                            "s\(number)",
                            options: QueryOptions(index: 1)
                        )
                    }
                }
                for _ in 0..<40 { _ = await registry.next("/v1/health/service/") }
                await #expect(throws: Never.self) {
                    try await client.agent.update(checkID: "c", status: .passing)
                }
                group.cancelAll()
            }
        }
    }

    @Test func unknownChecksAreRecognisedInBothDialects() {
        let old = MusterError(
            code: .serverError,
            message: "",
            status: 500,
            body: "CheckID \"x\" does not have associated TTL"
        )
        #expect(old.saysUnknownCheck)
        #expect(MusterError(code: .notFound, message: "", status: 404).saysUnknownCheck)
        #expect(!MusterError(code: .serverError, message: "", status: 500).saysUnknownCheck)
    }
}
