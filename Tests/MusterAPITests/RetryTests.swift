import MusterAPI
import MusterTesting
import Testing

/// What is sent again, and what never is: the rule of ``RequestRetries``.
@Suite(.timeLimit(.minutes(3))) struct RetryTests {
    @Test(arguments: [429, 500, 502, 503])
    func aReadIsSentAgainWhenItIsRefused(_ status: Int) async throws {
        try await withRegistry { registry, client in
            let leader = Task { try await client.status.leader() }
            await registry.next("/v1/status/leader").answer(status, "later")
            await registry.next("/v1/status/leader").answer(status, "later")
            await registry.next("/v1/status/leader").answer(200, #""a:1""#)
            let answer = try await leader.value
            #expect(answer == "a:1")
        }
    }

    @Test func aReadGivesUpAfterItsAttemptsWithTheLastRefusal() async throws {
        try await withRegistry { registry, client in
            let leader = Task { try await client.status.leader() }
            for _ in 0..<3 { await registry.next("/v1/status/leader").answer(503, "no leader") }
            let error = await #expect(throws: MusterError.self) { _ = try await leader.value }
            #expect(error?.code == .unavailable)
            #expect(error?.body == "no leader")
            #expect(registry.unclaimed == 0)
        }
    }

    @Test func aReadIsSentAgainWhenTheConnectionBreaks() async throws {
        try await withRegistry { registry, client in
            let leader = Task { try await client.status.leader() }
            await registry.next("/v1/status/leader").hangUp()
            await registry.next("/v1/status/leader").answer(200, #""a:1""#)
            let answer = try await leader.value
            #expect(answer == "a:1")
        }
    }

    @Test(arguments: [429, 500, 503])
    func aWriteThatWasAnsweredIsNeverSentAgain(_ status: Int) async throws {
        try await withRegistry { registry, client in
            let written = Task { try await client.keyValue.put("k", [1], if: .unchanged(since: 7)) }
            await registry.next("/v1/kv/k").answer(status)
            await #expect(throws: MusterError.self) { _ = try await written.value }
            #expect(registry.unclaimed == 0)
        }
    }

    @Test func aWriteWhoseConnectionBreaksIsNeverSentAgain() async throws {
        try await withRegistry { registry, client in
            let reloaded = Task { try await client.agent.reload() }
            await registry.next("/v1/agent/reload").hangUp()
            let error = await #expect(throws: MusterError.self) { try await reloaded.value }
            #expect(error?.code == .unreachable)
            // A read behind it shows that nothing was on its way.
            let leader = Task { try await client.status.leader() }
            let next = await registry.next("/")
            #expect(next.target == "/v1/status/leader")
            next.answer(200, #""a:1""#)
            let answer = try await leader.value
            #expect(answer == "a:1")
        }
    }

    @Test func aBlockingQueryAndOneThatWillBlockAreLeftToTheirLoop() async throws {
        try await withRegistry { registry, client in
            for options in [QueryOptions(index: 5), QueryOptions(wait: .seconds(1))] {
                let nodes = Task { try await client.catalog.nodes(options: options) }
                await registry.next("/v1/catalog/nodes").answer(500)
                await #expect(throws: MusterError.self) { _ = try await nodes.value }
                #expect(registry.unclaimed == 0)
            }
        }
    }

    @Test func statusesThatAreAnswersAreNotSentAgain() async throws {
        try await withRegistry { registry, client in
            let health = Task { try await client.agent.health(serviceName: "web") }
            await registry.next("/v1/agent/health/").answer(503, "[]")
            let answer = try await health.value
            #expect(answer.isEmpty)
            #expect(registry.unclaimed == 0)
        }
    }

    @Test func retriesCanBeSwitchedOff() async throws {
        try await withRegistry({ $0.retries = .off }) { registry, client in
            let leader = Task { try await client.status.leader() }
            await registry.next("/v1/status/leader").answer(500)
            await #expect(throws: MusterError.self) { _ = try await leader.value }
            #expect(registry.unclaimed == 0)
        }
    }

    @Test func waitsDoubleAreRandomAndEndWithTheTask() async throws {
        let registry = ScriptedRegistry()
        let port = try await registry.start()
        var configuration = ClientConfiguration(address: .http(host: "127.0.0.1", port: port))
        configuration.retries = RequestRetries(attempts: 9, firstWait: .seconds(100))
        configuration.retries.longestWait = .seconds(150)
        let clock = ManualClock()
        let client = try MusterClient(configuration: configuration, clock: clock.source)
        let leader = Task { try await client.status.leader() }
        for limit in [100, 150] {
            await registry.next("/").answer(500)
            _ = await clock.sleeper(within: .zero ... .seconds(1000))
            clock.advance(by: .seconds(limit))
        }
        await registry.next("/").answer(500)
        _ = await clock.sleeper(within: .zero ... .seconds(1000))
        leader.cancel()
        await #expect(throws: CancellationError.self) { _ = try await leader.value }
        try await client.shutdown()
        try await registry.stop()
    }
}

/// Several addresses: tried in order, and kept to while they answer.
@Suite(.timeLimit(.minutes(3))) struct FailoverTests {
    private func withTwo(
        _ configure: (inout ClientConfiguration) -> Void = { _ in },
        _ body: (ScriptedRegistry, ScriptedRegistry, MusterClient) async throws -> Void
    ) async throws {
        let second = ScriptedRegistry()
        let port = try await second.start()
        try await withRegistry({
            $0.fallbackAddresses = [.http(host: "127.0.0.1", port: port)]
            configure(&$0)
        }) { first, client in
            try await body(first, second, client)
        }
        try await second.stop()
    }

    @Test func anAddressThatIsGoneIsLeftForTheNextByWritesToo() async throws {
        try await withTwo { first, second, client in
            try await first.stop()
            second.answer("/v1/agent/reload") { _ in ScriptedReply() }
            try await client.agent.reload()
            // And by blocking queries.
            let nodes = Task { try await client.catalog.nodes(options: QueryOptions(index: 5)) }
            await second.next("/v1/catalog/nodes").answer(200, index: 6, "[]")
            let answer = try await nodes.value
            #expect(answer.index == 6)
        }
    }

    @Test func aReadThatIsRefusedIsAskedElsewhereAtOnceAndStaysThere() async throws {
        try await withTwo({ $0.retries = .off }) { first, second, client in
            let leader = Task { try await client.status.leader() }
            await first.next().answer(429, "too many")
            await second.next().answer(200, #""second""#)
            let answer = try await leader.value
            #expect(answer == "second")
            let again = Task { try await client.status.leader() }
            await second.next().answer(200, #""again""#)
            let second = try await again.value
            #expect(second == "again")
            #expect(first.unclaimed == 0)
        }
    }

    @Test func anAddressThatDoesNotAnswerInTimeIsLeftByTheNextRequest() async throws {
        try await withTwo { first, second, client in
            var hurried = RegistryRequest("/v1/status/leader")
            hurried.timeout = .milliseconds(100)
            let request = hurried
            let error = await #expect(throws: MusterError.self) {
                _ = try await client.send(request)
            }
            #expect(error?.code == .timeout)
            await first.next().closed()
            second.answer("/") { _ in ScriptedReply(200, #""second""#) }
            let leader = try await client.status.leader()
            #expect(leader == "second")
        }
    }

    @Test func aWriteThatMayHaveArrivedIsNotSentElsewhere() async throws {
        try await withTwo { first, second, client in
            let reloaded = Task { try await client.agent.reload() }
            await first.next().hangUp()
            await #expect(throws: MusterError.self) { try await reloaded.value }
            #expect(second.unclaimed == 0)
        }
    }
}
