import MusterAPI
import MusterBalancing
import MusterDiscovery
import MusterTesting
import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing

/// How instances come and go: readiness, several checks and services, and the order at the end.
@Suite(.timeLimit(.minutes(3))) struct RegistrarLifecycleTests {
    /// Runs a registrar under graceful shutdown, triggered once it has settled.
    private func shutDown(
        _ configure: (inout ServiceRegistrar.Configuration) -> Void = { _ in },
        _ body: (RegistrarFixture) async throws -> Void
    ) async throws {
        let (triggered, trigger) = AsyncStream.makeStream(of: Void.self)
        let run: @Sendable (ServiceRegistrar) async throws -> Void = { registrar in
            try await testGracefulShutdown { lifecycle in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await registrar.run() }
                    for await _ in triggered { break }
                    lifecycle.triggerGracefulShutdown()
                    try await group.waitForAll()
                }
            }
        }
        try await withRegistrar(configure, run: run) { fixture in
            await fixture.settle()
            trigger.yield()
            try await body(fixture)
            try await fixture.running.value
        }
    }

    @Test func onGracefulShutdownTheInstanceLeavesFirstAndCallersGetTimeToNotice() async throws {
        try await shutDown { fixture in
            await fixture.registry.next(AgentPath.deregister).answer()
            let drained = await fixture.time.sleeper(within: .seconds(5) ... .seconds(5))
            fixture.time.advance(by: drained)
        }
    }

    @Test func drainingByMaintenanceTellsTheReasonAndDeregistersAfterTheDelay() async throws {
        try await shutDown({ $0.drain = .maintenance(reason: "rolling update") }) { fixture in
            let request = await fixture.registry.next(AgentPath.maintenance)
            #expect(request.parameter("enable") == "true")
            #expect(request.parameter("reason") == "rolling%20update")
            request.answer()
            _ = await fixture.time.sleeper(within: .seconds(5) ... .seconds(5))
            #expect(fixture.registry.unclaimed == 0)
            fixture.time.advance(by: .seconds(5))
            await fixture.registry.next(AgentPath.deregister).answer()
        }
    }

    @Test func cancellationCutsTheDrainShortButNotTheDeregistration() async throws {
        try await shutDown({ $0.drain = .maintenance(reason: "") }) { fixture in
            await fixture.registry.next(AgentPath.maintenance).answer()
            _ = await fixture.time.sleeper(within: .seconds(5) ... .seconds(5))
            fixture.running.cancel()
            await fixture.registry.next(AgentPath.deregister).answer()
        }
    }

    @Test func anAgentThatHangsDelaysTheEndByTwoSecondsAtMost() async throws {
        try await withRegistrar { fixture in
            await fixture.settle()
            fixture.running.cancel()
            let hanging = await fixture.registry.next(AgentPath.deregister)
            _ = await fixture.time.sleeper(within: .seconds(2) ... .seconds(2))
            fixture.time.advance(by: .seconds(2))
            await hanging.closed()
            try await fixture.running.value
        }
    }

    @Test func aRegistrationUnderWayIsAwaitedBeforeItIsTakenBack() async throws {
        try await withRegistrar { fixture in
            let request = await fixture.registry.next(AgentPath.register)
            fixture.running.cancel()
            // It is being waited for, not given up.
            _ = await fixture.time.sleeper(within: .seconds(2) ... .seconds(2))
            #expect(fixture.registry.unclaimed == 0)
            request.answer()
            let removal = await fixture.registry.next(AgentPath.deregister)
            #expect(fixture.registrar.isRegistered)
            removal.answer()
            try await fixture.running.value
            #expect(!fixture.registrar.isRegistered)
            #expect(fixture.registry.unclaimed == 0)
        }
    }

    @Test func checksOfTheAgentAndOfTheApplicationAreRegisteredTogether() async throws {
        let http = CheckDefinition.http("http://127.0.0.1:80/health", every: .seconds(5))
        let database = ApplicationCheck(name: "database", ttl: .seconds(30)) { .critical }
        try await withRegistrar(checks: [http], applicationChecks: [database]) { fixture in
            let request = await fixture.registry.next(AgentPath.register)
            #expect(request.body.contains(#""HTTP":"http://127.0.0.1:80/health""#))
            #expect(request.body.contains(#""CheckID":"service:web-1:heartbeat""#))
            #expect(request.body.contains(#""CheckID":"service:web-1:database""#))
            request.answer()
            await fixture.registry.next(AgentPath.pass).answer()
            await fixture.registry.next("/v1/agent/check/fail/service:web-1:database").answer()
            // The shortest TTL sets the pace.
            _ = await fixture.time.sleeper(within: nextBeat)
        }
    }

    @Test func aCheckThatTheAgentForgotRegistersAllOfThemAgain() async throws {
        let queue = ApplicationCheck(name: "queue") { .passing }
        try await withRegistrar(applicationChecks: [queue]) { fixture in
            await fixture.registry.next(AgentPath.register).answer()
            await fixture.registry.next(AgentPath.pass).answer(500, "No cluster leader")
            await fixture.registry.next("/v1/agent/check/pass/service:web-1:queue")
                .answer(404, "Unknown check")
            await fixture.registry.next(AgentPath.register).answer()
        }
    }

    @Test func theStateBeforeTheFirstBeatIsASetting() async throws {
        try await withRegistrar({ $0.initialStatus = .passing }) { fixture in
            let request = await fixture.registry.next(AgentPath.register)
            #expect(request.body.contains(#""Status":"passing","TTL":"15s""#))
            request.answer()
        }
    }

    @Test func severalServicesOfOneProcessDoNotDisturbOneAnother() async throws {
        try await withRegistrar { fixture in
            await fixture.settle()
            var configuration = ServiceRegistrar.Configuration()
            configuration.clock = fixture.time.source
            let second = ServiceRegistrar(
                ServiceRegistration(id: "admin-1", name: "admin", port: 81),
                client: fixture.client,
                configuration: configuration,
                logger: silent
            )
            let running = Task { try await second.run() }
            let request = await fixture.registry.next(AgentPath.register)
            #expect(request.body.contains(#""ID":"admin-1""#))
            request.answer()
            await fixture.registry.next("/v1/agent/check/pass/service:admin-1:heartbeat").answer()
            running.cancel()
            await fixture.registry.next("/v1/agent/service/deregister/admin-1").answer()
            try await running.value
            // The first beats on, and was not registered again.
            fixture.time.advance(by: .milliseconds(5500))
            await fixture.registry.next(AgentPath.pass).answer()
            #expect(fixture.registry.unclaimed == 0)
        }
    }
}
