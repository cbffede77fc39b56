import Configuration
import MusterAPI
import MusterConfiguration
import Testing

@Suite(.live, .timeLimit(.minutes(2))) struct ConfigurationLiveTests {
    @Test func keysAreLiveConfiguration() async throws {
        try await Live.withClient { client in
            let prefix = Live.unique("config")
            try await client.keyValue.put(prefix + "/http/timeout", "30")
            try await client.keyValue.put(prefix + "/names", "a, b")
            // Not below the prefix, though its letters are the same.
            try await client.keyValue.put(prefix + "x/http/timeout", "99")
            let provider = try await KeyValueProvider(client: client, prefix: prefix)
            let config = ConfigReader(provider: provider)
            #expect(config.int(forKey: "http.timeout") == 30)
            #expect(config.stringArray(forKey: "names") == ["a", "b"])

            let seen = AsyncStream.makeStream(of: Int?.self)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await provider.run() }
                group.addTask {
                    try await config.watchInt(forKey: "http.timeout") { updates in
                        for try await value in updates { seen.continuation.yield(value) }
                    }
                }
                var values = seen.stream.makeAsyncIterator()
                #expect(await values.next() == 30)
                try await client.keyValue.put(prefix + "/http/timeout", "45")
                #expect(await values.next() == 45)
                try await client.keyValue.deleteAll(prefix: prefix + "/")
                #expect(await values.next() == .some(nil))
                group.cancelAll()
                // The watches end by being cancelled.
                while (try? await group.next()) != nil {}
            }
            #expect(config.stringArray(forKey: "names") == nil)
            try await client.keyValue.deleteAll(prefix: prefix)
        }
    }

    @Test func anEmptyTreeIsNoFailure() async throws {
        try await Live.withClient { client in
            let provider = try await KeyValueProvider(client: client, prefix: Live.unique("none"))
            let config = ConfigReader(provider: provider)
            #expect(config.int(forKey: "a", default: 7) == 7)
            let fetched = try await config.fetchInt(forKey: "a", default: 8)
            #expect(fetched == 8)
        }
    }
}
