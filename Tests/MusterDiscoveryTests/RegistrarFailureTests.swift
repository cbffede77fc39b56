import CoreMetrics
import MetricsTestKit
import MusterAPI
import MusterBalancing
import MusterDiscovery
import MusterTesting
import Testing

/// What a registrar does when the agent, the network or the machine misbehaves.
@Suite(.timeLimit(.minutes(3))) struct RegistrarFailureTests {
    @Test func aHeartbeatThatHangsIsGivenUpAndRepeatedBeforeTheTTLIsOver() async throws {
        try await withRegistrar { fixture in
            await fixture.settle()
            fixture.time.advance(by: .milliseconds(5500))
            let hanging = await fixture.registry.next(AgentPath.pass)
            fixture.time.advance(by: .milliseconds(2500))
            await hanging.closed()
            _ = await fixture.time.sleeper(within: .seconds(9) ... .seconds(9))
            fixture.time.advance(by: .seconds(1))
            await fixture.registry.next(AgentPath.pass).answer()
        }
    }

    @Test func afterAnHourOfSuspensionABeatIsSentAtOnceAnd404RegistersAgain() async throws {
        try await withRegistrar { fixture in
            await fixture.settle()
            fixture.time.advance(by: .seconds(3600))
            await fixture.registry.next(AgentPath.pass).answer(404, "Unknown check")
            await fixture.registry.next(AgentPath.register).answer()
            await fixture.registry.next(AgentPath.pass).answer()
        }
    }

    @Test(arguments: [500, 502, 503, 429, 403])
    func noFailureOfABeatButAnUnknownCheckRegistersAgain(status: Int) async throws {
        try await withRegistrar { fixture in
            await fixture.settle()
            fixture.time.advance(by: .milliseconds(5500))
            for second in 6...9 {
                await fixture.registry.next(AgentPath.pass).answer(status, "rpc error")
                let retry = Duration.seconds(second) + .milliseconds(500)
                _ = await fixture.time.sleeper(within: retry...retry)
                fixture.time.advance(by: .seconds(1))
            }
            #expect(fixture.registrar.isRegistered)
            await fixture.registry.next(AgentPath.pass).answer()
        }
    }

    @Test func anInstanceThatIsRegisteredAgainKeepsTheHealthItReported() async throws {
        try await withRegistrar(health: { .warning }) { fixture in
            let first = await fixture.registry.next(AgentPath.register)
            #expect(first.body.contains(#""Status":"critical","TTL":"15s""#))
            first.answer()
            await fixture.registry.next("/v1/agent/check/warn/").answer()
            fixture.registrar.update { $0.tags = ["v2"] }
            let second = await fixture.registry.next(AgentPath.register)
            #expect(second.body.contains(#""Status":"warning","TTL":"15s""#))
            second.answer()
        }
    }

    @Test func everyHeartbeatOfOneStatusSaysTheSame() async throws {
        try await withRegistrar { fixture in
            await fixture.registry.next(AgentPath.register).answer()
            var notes: Set<String?> = []
            for number in 1...3 {
                let beat = await fixture.registry.next(AgentPath.pass)
                notes.insert(beat.parameter("note"))
                beat.answer()
                let earliest = Duration.milliseconds(5500) * (number - 1) + .milliseconds(4500)
                _ = await fixture.time.sleeper(within: earliest...(earliest + .seconds(1)))
                fixture.time.advance(by: .milliseconds(5500))
            }
            #expect(notes == ["The%20application%20reports%20that%20it%20is%20passing"])
        }
    }

    @Test func aReadinessThatThrowsEndsTheRunAndNothingIsRegistered() async throws {
        struct NotReady: Error {}
        try await withRegistrar(readiness: { _ in throw NotReady() }) { fixture in
            await #expect(throws: NotReady.self) { try await fixture.running.value }
            #expect(fixture.registry.unclaimed == 0)
            #expect(!fixture.registrar.isRegistered)
        }
    }

    @Test(arguments: [400, 403])
    func aFirstRegistrationThatIsRefusedEndsTheRunWithTheReason(status: Int) async throws {
        try await withRegistrar { fixture in
            await fixture.registry.next(AgentPath.register).answer(status, "why not")
            // What an earlier run left under the same id goes as well.
            await fixture.registry.next(AgentPath.deregister).answer()
            let error = await #expect(throws: MusterError.self) {
                try await fixture.running.value
            }
            #expect(error?.message == "the agent refuses to register web-1")
            #expect(error?.body == "why not")
        }
    }

    @Test func aChangeThatIsRefusedIsTakenBackAndTheInstanceLivesOn() async throws {
        try await withRegistrar { fixture in
            await fixture.settle()
            fixture.registrar.update { $0.port = -1 }
            await fixture.registry.next(AgentPath.register).answer(400, "bad port")
            _ = await fixture.time.sleeper(within: nextBeat)
            #expect(fixture.registrar.registration.port == 80)
            #expect(fixture.registrar.isRegistered)
            fixture.time.advance(by: .milliseconds(5500))
            await fixture.registry.next(AgentPath.pass).answer()
        }
    }

    @Test func aTokenThatIsRevokedWhileServingDoesNotEndTheApplication() async throws {
        try await withRegistrar { fixture in
            await fixture.settle()
            fixture.time.advance(by: .milliseconds(5500))
            await fixture.registry.next(AgentPath.pass).answer(404, "Unknown check")
            await fixture.registry.next(AgentPath.register).answer(403, "Permission denied")
            fixture.time.advance(by: await fixture.time.sleeper(within: .zero ... .seconds(7)))
            await fixture.registry.next(AgentPath.register).answer()
            await fixture.registry.next(AgentPath.pass).answer()
        }
    }

    @Test func heartbeatsAndRegistrationsAreCounted() async throws {
        let metrics = TestMetrics()
        try await withRegistrar(metrics: metrics) { fixture in
            await fixture.settle()
            fixture.time.advance(by: .milliseconds(5500))
            await fixture.registry.next(AgentPath.pass).answer(500, "No cluster leader")
            _ = await fixture.time.sleeper(within: .milliseconds(6500) ... .milliseconds(6500))
            fixture.time.advance(by: .seconds(1))
            await fixture.registry.next(AgentPath.pass).answer(404, "Unknown check")
            await fixture.registry.next(AgentPath.register).answer()
            await fixture.registry.next(AgentPath.pass).answer()
            _ = await fixture.time.sleeper(within: .seconds(10) ... .seconds(13))
            func heartbeats(_ result: String) throws -> Int64 {
                try metrics.expectCounter(
                    "registration_heartbeats",
                    [("service", "web"), ("result", result)]
                ).totalValue
            }
            #expect(try heartbeats("success") == 2)
            #expect(try heartbeats("failure") == 1)
            #expect(try heartbeats("unknown") == 1)
            let again = try metrics.expectCounter(
                "registration_reregistrations",
                [("service", "web")]
            )
            #expect(again.totalValue == 1)
        }
    }
}
