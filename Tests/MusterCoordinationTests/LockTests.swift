import MusterAPI
import MusterCoordination
import MusterTesting
import Synchronization
import Testing

/// A lock's ordinary life.
@Suite(.timeLimit(.minutes(2))) struct LockTests {
    @Test func theBodyRunsWhileTheKeyIsHeldAndNothingIsLeftBehind() async throws {
        try await withLocks { fixture in
            var options = fixture.options
            options.value = Array("me".utf8)
            let registry = fixture.registry
            let token = try await fixture.client.withLock("k", options: options) { token in
                let entry = try #require(registry.contents.keys["k"])
                #expect(entry.session == token.session)
                #expect(entry.flags == 0x2ddc_cbc0_58a5_0c18)
                #expect(entry.text == "me")
                #expect(entry.modifyIndex == token.index)
                #expect(entry.lockIndex == token.lockIndex)
                let session = try #require(registry.contents.sessions[token.session])
                #expect(session.ttl == .seconds(15))
                #expect(session.lockDelay == .seconds(15))
                #expect(session.behavior == "release")
                return token
            }
            #expect(token.key == "k")
            #expect(registry.contents.sessions.isEmpty)
            #expect(registry.contents.keys["k"]?.session == nil)
        }
    }

    @Test func theNextContenderGetsTheLockAsSoonAsItIsReleasedWithAGreaterToken() async throws {
        try await withLocks { fixture in
            let first = try await fixture.tenant()
            let second = Tenant(client: fixture.client, key: "k", options: fixture.options)
            _ = try await fixture.registry.contents { $0.sessions.count == 2 }
            let holder = fixture.registry.contents.keys["k"]?.session
            first.leave()
            let token = await second.began()
            #expect(token.session != holder)
            #expect(token.lockIndex == 2)
            second.leave()
            #expect(await first.failure() == nil)
            #expect(await second.failure() == nil)
        }
    }

    @Test func tokensRiseAlsoWhenTheKeyIsDeletedBetweenTwoTenures() async throws {
        try await withLocks { fixture in
            var options = fixture.options
            options.behavior = .delete
            let first = try await fixture.client.withLock("k", options: options) { $0 }
            #expect(fixture.registry.contents.keys["k"] == nil)
            let second = try await fixture.client.withLock("k", options: options) { $0 }
            #expect(second.lockIndex == first.lockIndex)
            #expect(second > first)
        }
    }

    @Test func anErrorOfTheBodyIsPassedOnAndTheLockReleased() async throws {
        struct Broken: Error {}
        try await withLocks { fixture in
            await #expect(throws: Broken.self) {
                try await fixture.client.withLock("k", options: fixture.options) { _ in
                    throw Broken()
                }
            }
            #expect(fixture.registry.contents.sessions.isEmpty)
            #expect(fixture.registry.contents.keys["k"]?.session == nil)
        }
    }

    @Test func aContenderThatIsCancelledLeavesNothingBehind() async throws {
        try await withLocks { fixture in
            let first = try await fixture.tenant()
            let second = Tenant(client: fixture.client, key: "k", options: fixture.options)
            _ = try await fixture.registry.contents { $0.sessions.count == 2 }
            second.task.cancel()
            #expect(await second.failure() is CancellationError)
            #expect(fixture.registry.contents.sessions.count == 1)
            first.leave()
            #expect(await first.failure() == nil)
        }
    }

    @Test func aHolderThatIsCancelledGivesTheLockUpInOrder() async throws {
        try await withLocks { fixture in
            let tenant = try await fixture.tenant()
            tenant.task.cancel()
            #expect(await tenant.failure() is CancellationError)
            #expect(fixture.registry.contents.sessions.isEmpty)
            // Released before the session ended, the lock is not kept closed for its delay.
            var options = fixture.options
            options.timeout = .zero
            _ = try await fixture.client.withLock("k", options: options) { $0 }
        }
    }

    @Test func theLockStaysHeldWhileACancelledBodyTakesItsTimeToEnd() async throws {
        try await withLocks { fixture in
            let (opened, gate) = AsyncStream.makeStream(of: Void.self)
            let (began, begin) = AsyncStream.makeStream(of: Void.self)
            let (client, options) = (fixture.client, fixture.options)
            let holder = Task {
                try await client.withLock("k", options: options) { _ in
                    begin.yield()
                    // A task of its own hears nothing of the cancellation.
                    await Task { for await _ in opened { break } }.value
                }
            }
            for await _ in began { break }
            holder.cancel()
            for round in 1...6 {
                let due = Duration.milliseconds(7500) * round
                await fixture.renewal(at: due)
                fixture.time.advance(by: .milliseconds(7500))
            }
            await fixture.renewal(at: .milliseconds(7500) * 7)
            #expect(fixture.registry.contents.keys["k"]?.session != nil)
            gate.yield()
            _ = await holder.result
            #expect(fixture.registry.contents.sessions.isEmpty)
        }
    }

    @Test(arguments: ["text", ""])
    func aKeyThatIsNoLockIsAConflictAndStaysAsItIs(text: String) async throws {
        try await withLocks { fixture in
            fixture.registry.set(text, forKey: "k")
            let error = await #expect(throws: CoordinationError.self) {
                try await fixture.client.withLock("k", options: fixture.options) { _ in }
            }
            #expect(error?.code == .conflict)
            #expect(fixture.registry.contents.keys["k"]?.text == text)
            #expect(fixture.registry.contents.sessions.isEmpty)
        }
    }

    @Test func withoutPatienceOnlyAFreeLockIsTaken() async throws {
        try await withLocks { fixture in
            let tenant = try await fixture.tenant { $0.timeout = .zero }
            var options = fixture.options
            options.timeout = .zero
            let error = await #expect(throws: CoordinationError.self) {
                try await fixture.client.withLock("k", options: options) { _ in }
            }
            #expect(error?.code == .timeout)
            #expect(fixture.registry.contents.sessions.count == 1)
            tenant.leave()
            #expect(await tenant.failure() == nil)
        }
    }

    @Test func aContenderGivesUpWhenItsTimeIsOver() async throws {
        try await withLocks { fixture in
            let first = try await fixture.tenant()
            var options = fixture.options
            options.timeout = .seconds(3)
            let second = Tenant(client: fixture.client, key: "k", options: options)
            // The blocking query ends with the contender's patience.
            _ = await fixture.time.sleeper(within: .seconds(3) ... .seconds(3))
            fixture.time.advance(by: .seconds(3))
            let error = await second.failure() as? CoordinationError
            #expect(error?.code == .timeout)
            #expect(fixture.registry.contents.sessions.count == 1)
            first.leave()
            #expect(await first.failure() == nil)
        }
    }

    @Test func whoHoldsTheLockCanBeAsked() async throws {
        try await withLocks { fixture in
            #expect(try await fixture.client.lockHolder("k") == nil)
            let tenant = try await fixture.tenant { $0.value = Array("node-7".utf8) }
            let holder = try #require(try await fixture.client.lockHolder("k"))
            #expect(holder.text == "node-7")
            tenant.leave()
            #expect(await tenant.failure() == nil)
            #expect(try await fixture.client.lockHolder("k") == nil)
        }
    }
}
