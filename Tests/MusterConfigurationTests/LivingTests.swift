import Configuration
import Logging
import Metrics
import MusterAPI
import MusterConfiguration
import MusterTesting
import Synchronization
import Testing

/// The provider over time: its start, changes, failures.
@Suite(.timeLimit(.minutes(1)))
struct LivingTests {
    /// Runs the provider beside `body`.
    private func running(
        _ provider: KeyValueProvider,
        _ body: () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await provider.run() }
            try await body()
            group.cancelAll()
        }
    }

    @Test func aWatchedValueFollowsTheRegistryAndItsDeletionIsAChange() async throws {
        try await withProvider(["app/level": "info", "app/other": "1"]) {
            provider,
            registry,
            time in
            let seen = AsyncStream.makeStream(of: String.self)
            try await running(provider) {
                async let _: Void = ConfigReader(provider: provider)
                    .watchString(forKey: "level", default: "none") { updates in
                        for try await level in updates { seen.continuation.yield(level) }
                    }
                var levels = seen.stream.makeAsyncIterator()
                #expect(await levels.next() == "info")
                // The run begins with the state of now, which is the same.
                await registry.next("/v1/kv/app/?")
                    .answer(200, index: 5, pairs(["app/level": "info", "app/other": "1"]))
                await registry.next("/v1/kv/app/?recurse&index=5")
                    .answer(200, index: 6, pairs(["app/level": "info", "app/other": "2"]))
                // Two queries may follow each other at once; the third waits.
                _ = await time.sleeper(within: .zero...(.seconds(12)))
                time.advance(by: .seconds(12))
                await registry.next("/v1/kv/app/?recurse&index=6")
                    .answer(200, index: 7, pairs(["app/level": "debug", "app/other": "2"]))
                // Nothing came of the change of the other key.
                #expect(await levels.next() == "debug")
            }
        }
    }

    @Test func aDeletedTreeIsAChangeToNothing() async throws {
        try await withProvider(["app/level": "info"]) { provider, registry, _ in
            let seen = AsyncStream.makeStream(of: String?.self)
            try await running(provider) {
                async let _: Void = ConfigReader(provider: provider)
                    .watchString(forKey: "level") { updates in
                        for try await level in updates { seen.continuation.yield(level) }
                    }
                var levels = seen.stream.makeAsyncIterator()
                #expect(await levels.next() == "info")
                await registry.next("/v1/kv/app/?").answer(404, index: 8)
                #expect(await levels.next() == .some(nil))
            }
        }
    }

    @Test func valuesOfOneSnapshotBelongTogether() async throws {
        try await withProvider(["app/a": "1", "app/b": "1"]) { provider, registry, _ in
            let seen = AsyncStream.makeStream(of: Int.self)
            let old = ConfigReader(provider: provider).snapshot()
            try await running(provider) {
                async let _: Void = ConfigReader(provider: provider)
                    .watchSnapshot { updates in
                        for try await snapshot in updates {
                            let a = snapshot.int(forKey: "a", default: 0)
                            #expect(snapshot.int(forKey: "b") == a)
                            seen.continuation.yield(a)
                        }
                    }
                var values = seen.stream.makeAsyncIterator()
                #expect(await values.next() == 1)
                await registry.next("/v1/kv/app/?")
                    .answer(200, index: 6, pairs(["app/a": "2", "app/b": "2"]))
                #expect(await values.next() == 2)
                #expect(old.int(forKey: "a") == 1)
                #expect(old.int(forKey: "b") == 1)
            }
        }
    }

    @Test func anInvalidValueIsAFailureInTheSequenceWhichGoesOn() async throws {
        try await withProvider(["app/n": "1"]) { provider, registry, _ in
            let seen = AsyncStream.makeStream(of: Result<LookupResult, any Error>.self)
            try await running(provider) {
                async let _: Void = provider.watchValue(forKey: ["n"], type: .int) {
                    updates in
                    for await update in updates { seen.continuation.yield(update) }
                }
                var updates = seen.stream.makeAsyncIterator()
                let first = try await updates.next()?.get()
                #expect(first?.value?.content == .int(1))
                await registry.next("/v1/kv/app/?").answer(200, index: 6, pairs(["app/n": "x"]))
                let failure = await updates.next()
                #expect(throws: KeyValueConfigError.self) { try failure?.get() }
                await registry.next("/v1/kv/app/?recurse&index=6")
                    .answer(200, index: 7, pairs(["app/n": "3"]))
                let last = try await updates.next()?.get()
                #expect(last?.value?.content == .int(3))
            }
        }
    }

    @Test func whileTheRegistryFailsTheLastValuesStay() async throws {
        try await withProvider(["app/a": "1"]) { provider, registry, time in
            let config = ConfigReader(provider: provider)
            try await running(provider) {
                await registry.next("/v1/kv/app/?").answer(500, "no leader")
                _ = await time.sleeper(within: .zero...(.seconds(1)))
                #expect(config.int(forKey: "a") == 1)
                time.advance(by: .seconds(10))
                await registry.next("/v1/kv/app/?")
                    .answer(200, index: 6, pairs(["app/a": "2"]))
                while config.int(forKey: "a") != 2 { await Task.yield() }
            }
            // Also after the run has ended.
            #expect(config.int(forKey: "a") == 2)
        }
    }

    @Test(arguments: [KeyValueProvider.Settings.Absence.fails, .startsEmpty])
    func aRegistryThatDoesNotAnswerAtTheStartIsWaitedForAWhile(
        absence: KeyValueProvider.Settings.Absence
    ) async throws {
        try await withRegistry { registry, client, time in
            var settings = KeyValueProvider.Settings()
            settings.clock = time.source
            settings.absence = absence
            settings.startTimeout = .seconds(7)
            let start = Task { [settings] in
                try await KeyValueProvider(
                    client: client,
                    prefix: "app",
                    settings: settings,
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                )
            }
            await registry.next("/v1/kv/app/?").answer(500, "no leader")
            #expect(await time.sleeper(within: .seconds(7)...(.seconds(7))) == .seconds(7))
            // The wait before the next attempt is shorter than a second.
            _ = await time.sleeper(within: .zero...(.seconds(1)))
            time.advance(by: .seconds(7))
            guard absence == .fails else {
                let provider = try await start.value
                let config = ConfigReader(provider: provider)
                #expect(config.int(forKey: "a", default: 3) == 3)
                return
            }
            let error = await #expect(throws: KeyValueConfigError.self) {
                _ = try await start.value
            }
            #expect(error?.code == .noAnswer)
            #expect(error?.description.contains("no leader") == true)
        }
    }

    @Test func aStartIsCancelledAtOnce() async throws {
        try await withRegistry { registry, client, _ in
            let start = Task { try await KeyValueProvider(client: client, prefix: "app") }
            let request = await registry.next("/v1/kv/app/?")
            start.cancel()
            await #expect(throws: CancellationError.self) { _ = try await start.value }
            await request.closed()
        }
    }
}
