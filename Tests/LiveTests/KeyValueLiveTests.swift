import MusterAPI
import Testing

@Suite(.live, .timeLimit(.minutes(2))) struct KeyValueLiveTests {
    @Test func aKeyIsWrittenReadListedAndRemoved() async throws {
        try await Live.withClient { client in
            let root = Live.unique("kv") + "/"
            #expect(try await client.keyValue.get(root + "a").value == nil)
            let bytes: [UInt8] = [0, 255, 10, 34]
            try await client.keyValue.put(root + "a", bytes, flags: .max)
            try await client.keyValue.put(root + "sub/ü b?c#d%", "text")
            let entry = try #require(try await client.keyValue.get(root + "a").value)
            #expect(entry.value == bytes)
            #expect(entry.flags == .max)
            #expect(entry.session == nil || entry.session == "")
            #expect(try await client.keyValue.value(root + "a").value == bytes)
            #expect(try await client.keyValue.value(root + "none").value == nil)
            let all = try await client.keyValue.list(root).value
            #expect(all.map(\.key) == [root + "a", root + "sub/ü b?c#d%"])
            let level = try await client.keyValue.keys(root, separator: "/").value
            #expect(level == [root + "a", root + "sub/"])
            try await client.keyValue.delete(root + "a")
            try await client.keyValue.deleteAll(prefix: root)
            #expect(try await client.keyValue.keys(root).value.isEmpty)
        }
    }

    @Test func conditionsHoldOrTheWriteDoesNotHappen() async throws {
        try await Live.withClient { client in
            let key = Live.unique("cas")
            #expect(try await client.keyValue.put(key, "1", if: .absent))
            #expect(try await !client.keyValue.put(key, "2", if: .absent))
            let entry = try #require(try await client.keyValue.get(key).value)
            let index = entry.modifyIndex
            #expect(try await client.keyValue.put(key, "3", if: .unchanged(since: index)))
            #expect(try await !client.keyValue.put(key, "4", if: .unchanged(since: index)))
            #expect(try await !client.keyValue.delete(key, ifUnchangedSince: index))
            let now = try #require(try await client.keyValue.get(key).value)
            #expect(now.value == Array("3".utf8))
            #expect(try await client.keyValue.delete(key, ifUnchangedSince: now.modifyIndex))
        }
    }

    @Test func aLockBelongsToOneSessionUntilItEnds() async throws {
        try await Live.withClient { client in
            let key = Live.unique("lock")
            let request = SessionRequest(name: key, lockDelay: .zero, behavior: "delete")
            let first = try await client.session.create(request)
            let second = try await client.session.create(request)
            #expect(try await client.keyValue.put(key, "a", if: .acquire(session: first)))
            #expect(try await !client.keyValue.put(key, "b", if: .acquire(session: second)))
            #expect(try await client.keyValue.get(key).value?.session == first)
            #expect(try await client.keyValue.put(key, "c", if: .release(session: first)))
            #expect(try await client.keyValue.put(key, "d", if: .acquire(session: second)))
            #expect(try await client.keyValue.get(key).value?.lockIndex == 2)
            try await client.session.destroy(second)
            // What it held went with it.
            #expect(try await client.keyValue.get(key).value == nil)
            #expect(try await client.session.info(second).value == nil)
            #expect(try await client.session.info(first).value?.name == key)
            try await client.session.destroy(first)
        }
    }

    @Test func aSessionWithATimeToLiveIsRenewedOrGone() async throws {
        try await Live.withClient { client in
            let id = try await client.session.create(
                SessionRequest(name: Live.unique("ttl"), ttl: .seconds(30))
            )
            let renewed = try await client.session.renew(id)
            #expect(renewed.id == id)
            #expect(renewed.ttl == .seconds(30))
            #expect(try await client.session.list().value.contains { $0.id == id })
            let node = renewed.node
            #expect(try await client.session.node(node).value.contains { $0.id == id })
            try await client.session.destroy(id)
            let error = await #expect(throws: MusterError.self) {
                _ = try await client.session.renew(id)
            }
            #expect(error?.code == .notFound)
        }
    }

    @Test func aTransactionHappensWholeOrNotAtAll() async throws {
        try await Live.withClient { client in
            let key = Live.unique("txn")
            let value = Array("v".utf8)
            let done = try await client.transaction([
                TransactionOperation(
                    keyValue: KeyValueOperation(verb: "set", key: key, value: value, flags: 7)
                ),
                TransactionOperation(keyValue: KeyValueOperation(verb: "get", key: key)),
                TransactionOperation(
                    keyValue: KeyValueOperation(verb: "check-not-exists", key: key + "-no")
                ),
            ])
            #expect(done.failures.isEmpty)
            #expect(done.results.compactMap(\.keyValue).last?.value == value)
            let undone = try await client.transaction([
                TransactionOperation(keyValue: KeyValueOperation(verb: "delete", key: key)),
                TransactionOperation(
                    keyValue: KeyValueOperation(verb: "cas", key: key, value: value, index: 1)
                ),
            ])
            #expect(undone.failures.map(\.operation) == [1])
            #expect(try await client.keyValue.get(key).value?.flags == 7)
            try await client.keyValue.delete(key)
        }
    }

    @Test func aBlockingQueryWakesForItsKeyAlone() async throws {
        try await Live.withClient { client in
            let key = Live.unique("watch")
            try await client.keyValue.put(key, "1")
            let before = try await client.keyValue.get(key)
            #expect(before.index > 0)
            let options = QueryOptions(index: before.index, wait: .seconds(60))
            async let woken = client.keyValue.get(key, options: options)
            try await client.keyValue.put(key + "-other", "x")
            try await client.keyValue.put(key, "2")
            let after = try await woken
            #expect(after.value?.value == Array("2".utf8))
            #expect(after.index > before.index)
            try await client.keyValue.deleteAll(prefix: key)
        }
    }

    @Test func aWaitEndsWithTheSameIndexWhenNothingChanges() async throws {
        try await Live.withClient { client in
            let key = Live.unique("quiet")
            try await client.keyValue.put(key, "1")
            let before = try await client.keyValue.get(key)
            let options = QueryOptions(index: before.index, wait: .milliseconds(20))
            let after = try await client.keyValue.get(key, options: options)
            #expect(after.index == before.index)
            #expect(after.value == before.value)
            try await client.keyValue.delete(key)
        }
    }

    @Test func aWatchSeesAKeyAppearChangeAndVanish() async throws {
        try await Live.withClient { client in
            let key = Live.unique("follow")
            var seen: [String?] = []
            for await response in client.keyValue.watch(key) {
                seen.append(response.value.map { String(decoding: $0.value, as: UTF8.self) })
                switch seen.count {
                case 1: try await client.keyValue.put(key, "1")
                case 2: try await client.keyValue.put(key, "2")
                case 3: try await client.keyValue.delete(key)
                default: break
                }
                if seen.count == 4 { break }
            }
            #expect(seen == [nil, "1", "2", nil])
        }
    }
}
