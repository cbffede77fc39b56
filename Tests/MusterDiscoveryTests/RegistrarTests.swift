import Logging
import MusterAPI
import MusterBalancing
import MusterDiscovery
import MusterTesting
import ServiceLifecycle
import ServiceLifecycleTestKit
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(3))) struct RegistrarTests {
    private let register = "/v1/agent/service/register"
    private let health = "/v1/agent/health/service/id/web-1"
    private let pass = "/v1/agent/check/pass/service:web-1:heartbeat"
    private let deregister = "/v1/agent/service/deregister/web-1"
    private let maintenance = "/v1/agent/service/maintenance/web-1"

    private let registration = ServiceRegistration(id: "web-1", name: "web", port: 80)

    /// Runs a registrar against a scripted agent that knows no instance at first.
    private func withRegistrar(
        _ configure: (inout ServiceRegistrar.Configuration) -> Void = { _ in },
        readiness: (@Sendable (inout ServiceRegistration) async throws -> Void)? = nil,
        health status: (@Sendable () async -> Health)? = nil,
        _ body: (ScriptedRegistry, ServiceRegistrar, ManualClock, Task<Void, any Error>)
            async throws -> Void
    ) async throws {
        let registry = ScriptedRegistry()
        let port = try await registry.start()
        registry.answer(health) { _ in ScriptedReply(404) }
        let time = ManualClock()
        var configuration = ServiceRegistrar.Configuration()
        configuration.clock = time.source
        configuration.seed = 1
        configure(&configuration)
        let address = RegistryAddress.http(host: "127.0.0.1", port: port)
        try await MusterClient.withClient(ClientConfiguration(address: address)) { client in
            let registrar = ServiceRegistrar(
                registration,
                client: client,
                configuration: configuration,
                readiness: readiness,
                health: status,
                logger: silent
            )
            let running = Task { try await registrar.run() }
            try await body(registry, registrar, time, running)
            running.cancel()
            registry.answer("/") { _ in ScriptedReply() }
            _ = await running.result
        }
        try await registry.stop()
    }

    @Test func anInstanceIsRegisteredCriticalAndBeatsAtOnceAndThenEveryThirdOfItsTTL() async throws
    {
        try await withRegistrar { registry, _, time, _ in
            let request = await registry.next(register)
            #expect(request.parameter("replace-existing-checks") == "true")
            #expect(request.body.contains(#""Status":"critical","TTL":"15s""#))
            request.answer()
            await registry.next(pass).answer()
            let next = await time.sleeper(within: .milliseconds(4500) ... .milliseconds(5500))
            time.advance(by: next)
            await registry.next(pass).answer()
        }
    }

    @Test func aRestartedAgentIsToldAgain() async throws {
        try await withRegistrar { registry, _, time, _ in
            await registry.next(register).answer()
            await registry.next(pass).answer(
                500,
                "CheckID \"x\" does not have associated TTL"
            )
            await registry.next(register).answer()
            await registry.next(pass).answer()
            _ = await time.sleeper(within: .milliseconds(4500) ... .milliseconds(5500))
        }
    }

    @Test func anotherFailureOnlyRepeatsTheBeat() async throws {
        try await withRegistrar { registry, _, time, _ in
            await registry.next(register).answer()
            await registry.next(pass).answer(500, "No cluster leader")
            time.advance(by: await time.sleeper(within: .seconds(1) ... .seconds(1)))
            await registry.next(pass).hangUp()
            _ = await time.sleeper(within: .seconds(2) ... .seconds(2))
            #expect(registry.unclaimed == 0)
        }
    }

    @Test func nothingIsRegisteredBeforeTheInstanceIsReadyAndKnowsItsPort() async throws {
        let (gate, open) = AsyncStream.makeStream(of: Int.self)
        try await withRegistrar(readiness: { $0.port = await gate.first { _ in true } ?? 0 }) {
            registry,
            _,
            _,
            _ in
            #expect(registry.unclaimed == 0)
            open.yield(4711)
            let request = await registry.next(register)
            #expect(request.body.contains("4711"))
            request.answer()
        }
    }

    @Test func theBeatCarriesTheApplicationsHealth() async throws {
        try await withRegistrar(health: { .warning }) { registry, _, _, _ in
            await registry.next(register).answer()
            let beat = await registry.next("/v1/agent/check/warn/service:web-1:heartbeat")
            #expect(beat.parameter("note") == nil)
            beat.answer()
        }
    }

    @Test func maintenanceAndChangesReachTheAgentAtOnce() async throws {
        try await withRegistrar { registry, registrar, time, _ in
            await registry.next(register).answer()
            await registry.next(pass).answer()
            _ = await time.sleeper(within: .milliseconds(4500) ... .milliseconds(5500))
            registrar.setMaintenance(true, reason: "a b")
            let request = await registry.next(maintenance)
            #expect(request.parameter("enable") == "true")
            #expect(request.parameter("reason") == "a%20b")
            request.answer()
            _ = await time.sleeper(within: .milliseconds(4500) ... .milliseconds(5500))
            registrar.update {
                $0.tags = ["v2"]
                $0.id = "other"
            }
            let again = await registry.next(register)
            #expect(again.body.contains(#""ID":"web-1""#))
            #expect(again.body.contains(#""Tags":["v2"]"#))
            again.answer()
            // The agent may have forgotten it: it is set again.
            await registry.next(maintenance).answer()
            await registry.next(pass).answer()
        }
    }

    @Test func maintenanceThatAnOperatorSetSurvivesARegistration() async throws {
        try await withRegistrar { registry, registrar, _, _ in
            await registry.next(register).answer()
            await registry.next(pass).answer()
            registry.answer(health) { _ in
                ScriptedReply(503, #"{"AggregatedStatus":"maintenance"}"#)
            }
            registrar.update { $0.tags = ["v2"] }
            let again = await registry.next(register)
            #expect(again.parameter("replace-existing-checks") == nil)
            again.answer()
        }
    }

    @Test func aRegistrationThatTheAgentRefusesEndsTheRun() async throws {
        try await withRegistrar { registry, _, _, running in
            await registry.next(register).answer(400, "Missing service name")
            await registry.next(deregister).answer()
            let error = await #expect(throws: MusterError.self) { try await running.value }
            #expect(error?.body == "Missing service name")
        }
    }

    @Test func anAbsentAgentIsTriedUntilItIsThere() async throws {
        try await withRegistrar { registry, _, time, _ in
            await registry.next(register).hangUp()
            time.advance(by: await time.sleeper(within: .zero ... .milliseconds(500)))
            await registry.next(register).answer(503)
            _ = await time.sleeper(within: .zero ... .milliseconds(1500))
            time.advance(by: .seconds(2))
            await registry.next(register).answer()
            await registry.next(pass).answer()
        }
    }

    @Test func cancellationDeregistersAfterTheLastBeatHasEnded() async throws {
        try await withRegistrar { registry, _, _, running in
            await registry.next(register).answer()
            let beat = await registry.next(pass)
            running.cancel()
            await beat.closed()
            await registry.next(deregister).answer()
            _ = await running.result
            #expect(registry.unclaimed == 0)
        }
    }

    @Test func withoutHeartbeatsTheAgentIsAskedWhetherItKnowsTheInstance() async throws {
        try await withRegistrar({ $0.ttl = nil }) { registry, _, time, _ in
            let request = await registry.next(register)
            #expect(!request.body.contains("Check"))
            request.answer()
            await registry.next("/v1/agent/service/web-1").answer(200, #"{"ID":"web-1"}"#)
            let wait = await time.sleeper(within: .seconds(9) ... .seconds(11))
            time.advance(by: wait)
            await registry.next("/v1/agent/service/web-1").answer(404, "unknown")
            await registry.next(register).answer()
        }
    }

    @Test func onGracefulShutdownTheInstanceLeavesFirstAndCallersGetTimeToNotice() async throws {
        let registry = ScriptedRegistry()
        let port = try await registry.start()
        registry.answer(health) { _ in ScriptedReply(404) }
        let time = ManualClock()
        var configuration = ServiceRegistrar.Configuration()
        configuration.clock = time.source
        let address = RegistryAddress.http(host: "127.0.0.1", port: port)
        try await MusterClient.withClient(ClientConfiguration(address: address)) { client in
            let registrar = ServiceRegistrar(
                registration,
                client: client,
                configuration: configuration,
                logger: silent
            )
            let (register, pass, deregister) = (register, pass, deregister)
            try await testGracefulShutdown { trigger in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await registrar.run() }
                    await registry.next(register).answer()
                    await registry.next(pass).answer()
                    _ = await time.sleeper(within: .seconds(4) ... .seconds(6))
                    trigger.triggerGracefulShutdown()
                    await registry.next(deregister).answer()
                    let drained = await time.sleeper(within: .seconds(5) ... .seconds(5))
                    time.advance(by: drained)
                    try await group.waitForAll()
                }
            }
        }
        try await registry.stop()
    }
}
