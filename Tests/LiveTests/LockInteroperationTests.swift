import MusterAPI
import MusterCoordination
import Testing

/// Consul's own `consul lock` and our locks contend for the same key.
@Suite(.live, .consulLock, .timeLimit(.minutes(3))) struct LockInteroperationTests {
    /// Starts a `consul lock` with a limit.
    private typealias Start = @Sendable (Int) throws -> ConsulLock

    /// Runs a test with names of its own; whatever `consul lock` it started is ended.
    private func contend(
        _ body: (MusterClient, String, @escaping Start) async throws -> Void
    ) async throws {
        try await Live.withClient { client in
            let prefix = Live.unique("shared")
            let started = Shared<[ConsulLock]>([])
            let start: Start = { limit in
                let lock = try ConsulLock(prefix, limit: limit)
                started.change { $0.append(lock) }
                return lock
            }
            do { try await body(client, prefix, start) } catch {
                for lock in started.value { await lock.end() }
                throw error
            }
            for lock in started.value { await lock.end() }
        }
    }

    @Test func consulWaitsForOurLockAndGetsIt() async throws {
        try await contend { client, prefix, start in
            let key = prefix + "/.lock"
            let consul = try await client.withLock(key) { token in
                let consul = try start(1)
                try await LockLiveTests.contenders(1, named: prefix, client)
                #expect(try await client.lockHolder(key)?.session == token.session)
                #expect(!consul.output.contains("inside"))
                return consul
            }
            #expect(await consul.isHeld())
            try await consul.leave()
        }
    }

    @Test func weWaitForConsulsLockAndGetItWithAGreaterToken() async throws {
        try await contend { client, prefix, start in
            let key = prefix + "/.lock"
            let options = LockLiveTests.options(prefix)
            let first = try await client.withLock(key, options: options) { $0 }
            let consul = try start(1)
            #expect(await consul.isHeld())
            let holder = try #require(try await client.lockHolder(key))
            let second = Task {
                try await client.withLock(key, options: options) { token in token }
            }
            try await LockLiveTests.contenders(2, named: prefix, client)
            #expect(try await client.lockHolder(key) == holder)
            try await consul.leave()
            let token = try await second.value
            #expect(token > first)
            #expect(token.session != holder.session)
        }
    }

    @Test func whenConsulsSessionIsDestroyedWeWaitOutTheLocksDelay() async throws {
        try await contend { client, prefix, start in
            let key = prefix + "/.lock"
            let consul = try start(1)
            #expect(await consul.isHeld())
            let holder = try #require(try await client.lockHolder(key))
            let lost = ContinuousClock.now
            try await client.session.destroy(holder.session)
            try await client.withLock(key) { token in
                #expect(token.session != holder.session)
                #expect(ContinuousClock.now - lost > .seconds(14))
            }
        }
    }

    @Test func bothShareTheLimitOfASemaphore() async throws {
        try await contend { client, prefix, start in
            let options = LockLiveTests.options(prefix)
            try await client.withSemaphore(prefix, limit: 2, options: options) { _ in
                let consul = try start(2)
                #expect(await consul.isHeld())
                let third = Task {
                    try await client.withSemaphore(prefix, limit: 2, options: options) { $0 }
                }
                try await LockLiveTests.contenders(3, named: prefix, client)
                let holders = try await client.keyValue.get(prefix + "/.lock").value?.text
                #expect(holders?.split(separator: "true").count == 3)
                try await consul.leave()
                _ = try await third.value
            }
        }
    }

    @Test func consulWaitsForAPlaceThatWeHold() async throws {
        try await contend { client, prefix, start in
            let options = LockLiveTests.options(prefix)
            let second = try start(2)
            #expect(await second.isHeld())
            let third = try await client.withSemaphore(prefix, limit: 2, options: options) { _ in
                let third = try start(2)
                try await LockLiveTests.contenders(3, named: prefix, client)
                #expect(!third.output.contains("inside"))
                return third
            }
            #expect(await third.isHeld())
            try await third.leave()
            try await second.leave()
        }
    }

    @Test func bothRefuseAnotherLimit() async throws {
        try await contend { client, prefix, start in
            try await client.withSemaphore(prefix, limit: 2) { _ in
                let consul = try start(3)
                #expect(await consul.says("limit conflict"))
                await consul.end()
            }
            let consul = try start(3)
            #expect(await consul.says("limit conflict"))
            await consul.end()
        }
    }

    @Test func bothRefuseALockWhereTheOtherHasASemaphore() async throws {
        try await contend { client, prefix, start in
            let consul = try start(2)
            #expect(await consul.isHeld())
            let error = await #expect(throws: CoordinationError.self) {
                try await client.withLock(prefix + "/.lock") { _ in }
            }
            #expect(error?.code == .conflict)
            try await consul.leave()
        }
    }
}
