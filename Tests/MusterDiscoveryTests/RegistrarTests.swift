import MusterAPI
import MusterBalancing
import MusterDiscovery
import MusterTesting
import Testing

@Suite(.timeLimit(.minutes(3))) struct RegistrarTests {
    private let register = AgentPath.register
    private let health = AgentPath.health
    private let pass = AgentPath.pass
    private let deregister = AgentPath.deregister
    private let maintenance = AgentPath.maintenance

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
}
