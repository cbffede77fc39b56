import MetricsTestKit
import MusterAPI
import MusterCoordination
import MusterTesting
import Testing

/// What goes over the wire, request by request, and what is counted.
@Suite(.timeLimit(.minutes(2))) struct LockWireTests {
    private let flags = "3304740253564472344"
    private let session = "11111111-2222-3333-4444-555555555555"

    /// Runs a test against a registry that does exactly what the test says.
    private func withScript(
        _ body: (ScriptedRegistry, MusterClient, ManualClock, LockOptions) async throws -> Void
    ) async throws {
        let registry = ScriptedRegistry()
        let port = try await registry.start()
        let time = ManualClock()
        var options = LockOptions()
        options.clock = time.source
        options.logger = silent
        options.datacenter = "dc2"
        let address = RegistryAddress.http(host: "127.0.0.1", port: port)
        try await MusterClient.withClient(ClientConfiguration(address: address)) { client in
            try await body(registry, client, time, options)
        }
        try await registry.stop()
    }

    private func entry(session: String?, index: Int) -> String {
        let holder = session.map { #""Session":"\#($0)","# } ?? ""
        return """
            [{"LockIndex":1,"Key":"k","Flags":\(flags),"Value":null,\(holder)
            "CreateIndex":5,"ModifyIndex":\(index)}]
            """
    }

    /// Answers everything up to the tenure's watch, which is returned.
    private func grant(_ registry: ScriptedRegistry) async -> ScriptedRequest {
        await registry.next("/v1/session/create").answer(200, #"{"ID":"\#(session)"}"#)
        await registry.next("/v1/kv/k").answer(404, index: 4)
        await registry.next("/v1/kv/k").answer(200, "true")
        await registry.next("/v1/kv/k").answer(
            200,
            index: 5,
            entry(session: session, index: 5)
        )
        return await registry.next("/v1/kv/k")
    }

    @Test func theRequestsAreThoseOfTheGoClient() async throws {
        try await withScript { registry, client, _, options in
            let (opened, gate) = AsyncStream.makeStream(of: Void.self)
            let holder = Task {
                try await client.withLock("k", options: options) { token in
                    for await _ in opened { break }
                    return token
                }
            }
            let create = await registry.next("/v1/session/create")
            #expect(create.method == "PUT")
            #expect(create.parameter("dc") == "dc2")
            for part in [#""TTL":"15s""#, #""LockDelay":"15s""#, #""Behavior":"release""#] {
                #expect(create.body.contains(part))
            }
            create.answer(200, #"{"ID":"\#(session)"}"#)
            let look = await registry.next("/v1/kv/k")
            #expect(look.method == "GET")
            #expect(look.parameter("consistent") != nil)
            #expect(look.parameter("index") == nil)
            look.answer(404, index: 4)
            let acquire = await registry.next("/v1/kv/k")
            #expect(acquire.method == "PUT")
            #expect(acquire.parameter("acquire") == session)
            #expect(acquire.parameter("flags") == flags)
            acquire.answer(200, "true")
            let confirm = await registry.next("/v1/kv/k")
            #expect(confirm.parameter("index") == nil)
            confirm.answer(200, index: 5, entry(session: session, index: 5))
            let watch = await registry.next("/v1/kv/k")
            #expect(watch.parameter("consistent") != nil)
            #expect(watch.parameter("index") == "5")
            gate.yield()
            await watch.closed()
            let release = await registry.next("/v1/kv/k")
            #expect(release.method == "PUT")
            #expect(release.parameter("release") == session)
            #expect(release.parameter("flags") == flags)
            release.answer(200, "true")
            let destroy = await registry.next("/v1/session/destroy/\(session)")
            #expect(destroy.method == "PUT")
            destroy.answer(200, "true")
            let token = try await holder.value
            #expect(token.index == 5)
            #expect(registry.unclaimed == 0)
        }
    }

    @Test func aContenderThatIsCancelledWhileItsSessionIsMadeDestroysIt() async throws {
        try await withScript { registry, client, time, options in
            let contender = Task { try await client.withLock("k", options: options) { _ in } }
            let create = await registry.next("/v1/session/create")
            contender.cancel()
            // Waited for, not given up.
            _ = await time.sleeper(within: .seconds(2) ... .seconds(2))
            create.answer(200, #"{"ID":"\#(session)"}"#)
            await registry.next("/v1/kv/k").answer(200, "false")
            await registry.next("/v1/session/destroy/\(session)").answer(200, "true")
            #expect(await contender.result.isCancelled)
            #expect(registry.unclaimed == 0)
        }
    }

    @Test func aSlowRenewalCountsFromWhenItWasSent() async throws {
        try await withScript { registry, client, time, options in
            let tenant = Tenant(client: client, key: "k", options: options)
            _ = await grant(registry)
            _ = await time.sleeper(within: .milliseconds(7500) ... .milliseconds(7500))
            time.advance(by: .milliseconds(7500))
            let renewal = await registry.next("/v1/session/renew/\(session)")
            time.advance(by: .seconds(3))
            renewal.answer(200, #"[{"ID":"\#(session)","TTL":"15s"}]"#)
            _ = await time.sleeper(within: .seconds(15) ... .seconds(15))
            time.advance(by: .milliseconds(4500))
            _ = await registry.next("/v1/session/renew/\(session)")
            tenant.task.cancel()
            registry.answer("/") { _ in ScriptedReply(200, "true") }
            #expect(await tenant.failure() is CancellationError)
        }
    }

    @Test func aWatchWhoseIndexGoesBackStartsOver() async throws {
        try await withScript { registry, client, _, options in
            let tenant = Tenant(client: client, key: "k", options: options)
            let watch = await grant(registry)
            watch.answer(200, index: 3, entry(session: session, index: 3))
            let next = await registry.next("/v1/kv/k")
            #expect(next.parameter("index") == nil)
            tenant.task.cancel()
            registry.answer("/") { _ in ScriptedReply(200, "true") }
            #expect(await tenant.failure() is CancellationError)
        }
    }

    @Test func aMachineThatSleptForAnHourGivesTheLockUpAtOnce() async throws {
        try await withScript { registry, client, time, options in
            let tenant = Tenant(client: client, key: "k", options: options)
            _ = await grant(registry)
            _ = await time.sleeper(within: .milliseconds(7500) ... .milliseconds(7500))
            registry.answer("/v1/kv/k") { _ in ScriptedReply(200, "true") }
            registry.answer("/v1/session/destroy") { _ in ScriptedReply(200, "true") }
            time.advance(by: .seconds(3600))
            let error = await tenant.failure() as? CoordinationError
            #expect(error?.code == .sessionExpired)
            // Without asking: what it would be told is too late.
            #expect(registry.unclaimed == 0)
        }
    }

    @Test func tenuresAndLossesAreCounted() async throws {
        let metrics = TestMetrics()
        try await withLocks { fixture in
            var options = fixture.options
            options.metrics = metrics
            try await fixture.client.withLock("k", options: options) { _ in }
            await #expect(throws: CoordinationError.self) {
                try await fixture.client.withLock("k", options: options) { _ in
                    fixture.registry.set(nil, forKey: "k")
                    let (never, _) = AsyncStream.makeStream(of: Void.self)
                    // Ends when cancelled.
                    for await _ in never {}
                }
            }
        }
        let acquired = try metrics.expectCounter("coordination_acquired", [("key", "k")])
        #expect(acquired.totalValue == 2)
        let lost = try metrics.expectCounter(
            "coordination_lost",
            [("key", "k"), ("reason", "key lost")]
        )
        #expect(lost.totalValue == 1)
    }
}
