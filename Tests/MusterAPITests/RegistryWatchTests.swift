import MusterAPI
import MusterTesting
import Testing

/// Watches of keys and of any other path.
@Suite(.timeLimit(.minutes(1))) struct RegistryWatchTests {
    private func pair(_ key: String, _ base64: String, index: Int = 1) -> String {
        """
        {"LockIndex":0,"Key":"\(key)","Flags":0,"Value":"\(base64)",\
        "CreateIndex":1,"ModifyIndex":\(index)}
        """
    }

    @Test func aKeyIsFollowedThroughItsAppearanceChangeAndDeletion() async throws {
        let time = ManualClock()
        try await withRegistry { registry, client in
            var values = client.keyValue.watch("a/b", clock: time.source).makeAsyncIterator()
            // The key is missing: that is the state, and its index is blocked on.
            async let missing = values.next()
            let first = await registry.next("/v1/kv/a/b")
            #expect(first.parameter("index") == nil)
            first.answer(404, index: 3)
            let none = try #require(await missing)
            #expect(none.value == nil)
            #expect(none.index == 3)

            async let appeared = values.next()
            let second = await registry.next("/v1/kv/a/b")
            #expect(second.parameter("index") == "3")
            #expect(second.parameter("wait") == "60000ms")
            second.answer(200, index: 5, "[\(pair("a/b", "eA=="))]")
            let some = try #require(await appeared)
            #expect(some.value?.value == Array("x".utf8))

            time.advance(by: .seconds(1))
            async let deleted = values.next()
            let third = await registry.next("/v1/kv/a/b")
            #expect(third.parameter("index") == "5")
            third.answer(404, index: 6)
            let gone = try #require(await deleted)
            #expect(gone.value == nil)
        }
    }

    @Test func aPrefixIsOneStateAndEmptyWhenMissing() async throws {
        try await withRegistry { registry, client in
            var values = client.keyValue.watch(prefix: "app/").makeAsyncIterator()
            async let missing = values.next()
            let first = await registry.next("/v1/kv/app/")
            #expect(first.parameter("recurse") != nil)
            first.answer(404, index: 3)
            #expect(await missing?.value.isEmpty == true)
            async let both = values.next()
            let list = "[\(pair("app/a", "eA==")),\(pair("app/b", "eQ=="))]"
            await registry.next("/v1/kv/app/").answer(200, index: 5, list)
            #expect(await both?.value.map(\.key) == ["app/a", "app/b"])
        }
    }

    @Test func theSameContentUnderANewIndexIsNoChange() async throws {
        let time = ManualClock()
        try await withRegistry { registry, client in
            var events = client.keyValue.watch("a", clock: time.source).events.makeAsyncIterator()
            for (index, expected) in [(5, "changed"), (5, "unchanged"), (6, "unchanged")] {
                async let event = events.next()
                await registry.next("/v1/kv/a").answer(
                    200,
                    index: UInt64(index),
                    "[\(pair("a", "eA=="))]"
                )
                let name = await event.map { event in
                    switch event {
                    case .changed: "changed"
                    case .unchanged: "unchanged"
                    case .failed: "failed"
                    }
                }
                #expect(name == expected)
                time.advance(by: .seconds(1))
            }
        }
    }

    @Test(arguments: [500, 503, 403])
    func afterAFailureItWaitsStartsOverAndTheSameValueIsNoChange(status: Int) async throws {
        let time = ManualClock()
        try await withRegistry { registry, client in
            let watch = client.keyValue.watch("a", clock: time.source)
            var events = watch.events.makeAsyncIterator()
            async let first = events.next()
            await registry.next("/v1/kv/a").answer(200, index: 9, "[\(pair("a", "eA=="))]")
            _ = await first
            async let second = events.next()
            await registry.next("/v1/kv/a").answer(status)
            guard case .failed(let error) = await second else {
                Issue.record("the failure was not told")
                return
            }
            #expect((error as? MusterError)?.status == status)
            async let third = events.next()
            // The wait after the failure, or that for a token.
            _ = await time.sleeper(within: .zero ... .seconds(1))
            time.advance(by: .seconds(1))
            let again = await registry.next("/v1/kv/a")
            #expect(again.parameter("index") == nil)
            again.answer(200, index: 2, "[\(pair("a", "eA=="))]")
            guard case .unchanged = await third else {
                Issue.record("the same value came twice")
                return
            }
        }
    }

    @Test func beingLimitedKeepsTheIndexBecauseTheRegistryIsTheSame() async throws {
        let time = ManualClock()
        try await withRegistry { registry, client in
            var events = client.keyValue.watch("a", clock: time.source).events.makeAsyncIterator()
            async let first = events.next()
            await registry.next("/v1/kv/a").answer(404, index: 9)
            _ = await first
            async let second = events.next()
            await registry.next("/v1/kv/a").answer(429)
            _ = await second
            async let third = events.next()
            // The wait after the failure, or that for a token.
            _ = await time.sleeper(within: .zero ... .seconds(1))
            time.advance(by: .seconds(1))
            let again = await registry.next("/v1/kv/a")
            #expect(again.parameter("index") == "9")
            again.answer(404, index: 9)
            _ = await third
        }
    }

    @Test func anAnswerThatCannotBeReadIsAFailureAndNotTakenAsSeen() async throws {
        let time = ManualClock()
        try await withRegistry { registry, client in
            var events = client.keyValue.watch("a", clock: time.source).events.makeAsyncIterator()
            for _ in 0..<2 {
                async let event = events.next()
                await registry.next("/v1/kv/a").answer(200, index: 9, "[{\"Key\":")
                guard case .failed(let error) = await event else {
                    Issue.record("nonsense was taken for an answer")
                    return
                }
                #expect((error as? MusterError)?.code == .invalidResponse)
                time.advance(by: .seconds(1))
            }
        }
    }

    @Test func cancellingClosesTheRequestAndEndsTheSequence() async throws {
        try await withRegistry { registry, client in
            let reader = Task {
                var values = client.keyValue.watch("a").makeAsyncIterator()
                var count = 0
                while await values.next() != nil { count += 1 }
                return count
            }
            await registry.next("/v1/kv/a").answer(404, index: 9)
            let hanging = await registry.next("/v1/kv/a")
            reader.cancel()
            await hanging.closed()
            #expect(await reader.value == 1)
        }
    }

    @Test func cancellingDuringTheWaitAfterAFailureEndsItAtOnce() async throws {
        let time = ManualClock()
        try await withRegistry { registry, client in
            let reader = Task {
                var values = client.keyValue.watch("a", clock: time.source).makeAsyncIterator()
                return await values.next() == nil
            }
            await registry.next("/v1/kv/a").answer(500)
            _ = await time.sleeper(within: .zero ... .milliseconds(500))
            reader.cancel()
            #expect(await reader.value)
            #expect(registry.unclaimed == 0)
        }
    }

    @Test func aSlowReaderGetsTheNewestAnswerAndNothingIsAskedMeanwhile() async throws {
        try await withRegistry { registry, client in
            var values = client.keyValue.watch("a").makeAsyncIterator()
            async let first = values.next()
            await registry.next("/v1/kv/a").answer(404, index: 3)
            _ = await first
            #expect(registry.unclaimed == 0)
            async let second = values.next()
            let request = await registry.next("/v1/kv/a")
            #expect(request.parameter("index") == "3")
            request.answer(200, index: 80, "[\(pair("a", "eg==", index: 80))]")
            #expect(await second?.value?.value == Array("z".utf8))
        }
    }

    @Test func anyPathCanBeWatched() async throws {
        try await withRegistry { registry, client in
            let watch = client.watch(
                "/v1/catalog/services",
                options: QueryOptions(consistency: .consistent, wait: .seconds(5))
            ) { String(decoding: $0.body, as: UTF8.self) }
            var values = watch.makeAsyncIterator()
            async let first = values.next()
            let request = await registry.next("/v1/catalog/services")
            #expect(request.parameter("consistent") != nil)
            request.answer(200, index: 3, "{}")
            #expect(await first?.value == "{}")
            async let second = values.next()
            let next = await registry.next("/v1/catalog/services")
            #expect(next.parameter("wait") == "5000ms")
            next.answer(200, index: 4, "{ }")
            #expect(await second?.value == "{ }")
        }
    }

    @Test func anAgentThatLimitsIsReplacedByTheNextOneAtOnce() async throws {
        let other = ScriptedRegistry()
        let port = try await other.start()
        try await withRegistry({
            $0.fallbackAddresses = [.http(host: "127.0.0.1", port: port)]
        }) { registry, client in
            var events = client.keyValue.watch("a").events.makeAsyncIterator()
            async let event = events.next()
            await registry.next("/v1/kv/a").answer(429)
            await other.next("/v1/kv/a").answer(404, index: 3)
            guard case .changed(let answer) = await event else {
                Issue.record("the other agent's answer did not count")
                return
            }
            #expect(answer.index == 3)
        }
        try await other.stop()
    }
}
