import MusterAPI
import MusterCoordination
import MusterTesting
import Testing

/// What a lock does when the session, the registry or the network fails.
@Suite(.timeLimit(.minutes(2))) struct LockFailureTests {
    private func code(_ error: (any Error)?) -> CoordinationError.Code? {
        (error as? CoordinationError)?.code
    }

    @Test func aSessionThatIsInvalidatedCancelsTheBodyAtOnce() async throws {
        try await withLocks { fixture in
            let tenant = try await fixture.tenant()
            let session = try #require(fixture.registry.contents.keys["k"]?.session)
            fixture.registry.invalidate(sessionID: session)
            #expect(code(await tenant.failure()) == .keyLost)
        }
    }

    @Test func aKeyThatIsDeletedCancelsTheBodyAtOnce() async throws {
        try await withLocks { fixture in
            let tenant = try await fixture.tenant()
            fixture.registry.set(nil, forKey: "k")
            #expect(code(await tenant.failure()) == .keyLost)
            #expect(fixture.registry.contents.sessions.isEmpty)
        }
    }

    @Test func aRenewalThatFindsNoSessionCancelsTheBodyAlsoWhenTheWatchHangs() async throws {
        try await withLocks { fixture in
            let tenant = try await fixture.tenant()
            let session = try #require(fixture.registry.contents.keys["k"]?.session)
            fixture.registry.misbehave(.silence, on: "/v1/kv")
            await fixture.renewal(at: .milliseconds(7500))
            fixture.registry.invalidate(sessionID: session)
            fixture.registry.set(nil, forKey: "k")
            fixture.time.advance(by: .milliseconds(7500))
            // Releasing hangs as well, and is given up.
            _ = await fixture.time.sleeper(within: .milliseconds(9500) ... .milliseconds(9500))
            fixture.time.advance(by: .seconds(2))
            let loss = code(await tenant.failure())
            #expect(loss == .sessionInvalidated || loss == .keyLost)
        }
    }

    @Test func aPartitionEndsTheTenureAtTheTTLBeforeTheRegistryEndsTheSession() async throws {
        try await withLocks { fixture in
            let tenant = try await fixture.tenant()
            fixture.registry.misbehave(.silence)
            await fixture.renewal(at: .milliseconds(7500))
            fixture.time.advance(by: .milliseconds(7500))
            // The hanging renewal is given up, and repeated a second later.
            await fixture.renewal(at: .milliseconds(11250))
            fixture.time.advance(by: .milliseconds(3750))
            await fixture.renewal(at: .milliseconds(12250))
            fixture.time.advance(by: .seconds(1))
            await fixture.renewal(at: .seconds(15))
            fixture.time.advance(by: .milliseconds(2749))
            #expect(fixture.registry.contents.keys["k"]?.session != nil)
            fixture.time.advance(by: .milliseconds(1))
            // Giving up in order is not possible either.
            await fixture.renewal(at: .seconds(17))
            #expect(fixture.registry.contents.keys["k"]?.session != nil)
            fixture.time.advance(by: .seconds(2))
            #expect(code(await tenant.failure()) == .sessionExpired)
        }
    }

    @Test func failingRenewalsShorterThanTheTTLAreSurvived() async throws {
        try await withLocks { fixture in
            let tenant = try await fixture.tenant()
            let failure = ScriptedReply(500, "No cluster leader")
            fixture.registry.misbehave(.refuse(failure), on: "/v1/session/renew")
            await fixture.renewal(at: .milliseconds(7500))
            fixture.time.advance(by: .milliseconds(7500))
            for second in 0..<5 {
                await fixture.renewal(at: .milliseconds(8500) + .seconds(second))
                if second == 4 { fixture.registry.behave() }
                fixture.time.advance(by: .seconds(1))
            }
            // Renewed at 12.5 seconds, and next half a TTL later.
            await fixture.renewal(at: .seconds(20))
            tenant.leave()
            #expect(await tenant.failure() == nil)
        }
    }

    @Test func renewalsThatFailForTheWholeTTLEndTheTenure() async throws {
        try await withLocks { fixture in
            let tenant = try await fixture.tenant()
            let failure = ScriptedReply(500, "No cluster leader")
            fixture.registry.misbehave(.refuse(failure), on: "/v1/session/renew")
            await fixture.renewal(at: .milliseconds(7500))
            fixture.time.advance(by: .milliseconds(7500))
            for second in 0..<7 {
                await fixture.renewal(at: .milliseconds(8500) + .seconds(second))
                fixture.time.advance(by: .seconds(1))
            }
            await fixture.renewal(at: .seconds(15))
            fixture.time.advance(by: .milliseconds(500))
            #expect(code(await tenant.failure()) == .sessionExpired)
        }
    }

    @Test func aRegistryThatForgotEverythingCancelsTheBody() async throws {
        try await withLocks { fixture in
            let tenant = try await fixture.tenant { $0.clock = .system }
            await fixture.queries(1)
            try await fixture.registry.restart(forgetting: true)
            #expect(code(await tenant.failure()) == .keyLost)
        }
    }

    @Test func aRegistryThatIsAwayForAMomentAndRemembersCostsNothing() async throws {
        try await withLocks { fixture in
            let tenant = try await fixture.tenant { $0.clock = .system }
            await fixture.queries(1)
            try await fixture.registry.restart(forgetting: false)
            // The watch is back.
            await fixture.queries(1)
            #expect(fixture.registry.contents.keys["k"]?.session != nil)
            tenant.leave()
            #expect(await tenant.failure() == nil)
        }
    }

    @Test func aContenderWhoseSessionIsForgottenContendsWithANewOne() async throws {
        try await withLocks { fixture in
            var options = fixture.options
            options.clock = .system
            let first = Tenant(client: fixture.client, key: "k", options: options)
            _ = await first.began()
            let second = Tenant(client: fixture.client, key: "k", options: options)
            await fixture.queries(2)
            try await fixture.registry.restart(forgetting: true)
            let token = await second.began()
            #expect(fixture.registry.contents.sessions.keys.sorted() == [token.session])
            #expect(code(await first.failure()) == .keyLost)
            second.leave()
            #expect(await second.failure() == nil)
            #expect(fixture.registry.contents.sessions.isEmpty)
        }
    }

    @Test func aLockWhoseHolderVanishedIsTakenWhenItsDelayIsOver() async throws {
        try await withLocks { fixture in
            let first = try await fixture.tenant()
            let session = try #require(fixture.registry.contents.keys["k"]?.session)
            fixture.registry.invalidate(sessionID: session)
            _ = await first.failure()
            let second = Tenant(client: fixture.client, key: "k", options: fixture.options)
            var waited = Duration.zero
            // Renewing the session, the next attempt: whatever comes first.
            while fixture.registry.contents.keys["k"]?.session == nil, waited < .seconds(30) {
                let next = await fixture.time.sleeper(
                    within: waited + .nanoseconds(1)...waited + .milliseconds(5500)
                )
                if next >= .seconds(15) {
                    fixture.time.advance(by: next - waited)
                    break
                }
                fixture.time.advance(by: next - waited)
                waited = next
            }
            _ = await second.began()
            #expect(waited > .seconds(9))
            second.leave()
            #expect(await second.failure() == nil)
        }
    }

    @Test func aRegistryThatIsAbsentAtFirstIsWaitedFor() async throws {
        try await withLocks { fixture in
            try await fixture.registry.stop()
            let tenant = Tenant(client: fixture.client, key: "k", options: fixture.options)
            let wait = await fixture.time.sleeper(within: .zero ... .milliseconds(500))
            try await fixture.registry.resume()
            fixture.time.advance(by: wait)
            _ = await tenant.began()
            tenant.leave()
            #expect(await tenant.failure() == nil)
        }
    }

    @Test(arguments: [400, 403])
    func aRefusalEndsTheAttemptWithItsReason(status: Int) async throws {
        try await withLocks { fixture in
            fixture.registry.misbehave(.refuse(ScriptedReply(status, "no")), on: "/v1/kv")
            let error = await #expect(throws: MusterError.self) {
                try await fixture.client.withLock("k", options: fixture.options) { _ in }
            }
            #expect(error?.status == status)
            #expect(fixture.registry.contents.sessions.isEmpty)
        }
    }
}
