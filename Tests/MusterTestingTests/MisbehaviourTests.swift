import MusterAPI
import MusterDiscovery
import MusterTesting
import Testing

@Suite("Misbehaviour of the in-memory registry", .timeLimit(.minutes(1)))
struct MisbehaviourTests {
    @Test("Silence holds requests back until it behaves again")
    func silence() async throws {
        try await withRegistry { registry, client, _ in
            registry.set("1", forKey: "a")
            let before = registry.requestCount
            registry.misbehave(.silence, on: "/v1/kv/")
            async let held = client.keyValue.get("a")
            while registry.requestCount == before { await Task.yield() }
            let leader = try await client.status.leader()
            #expect(!leader.isEmpty)
            registry.behave()
            let answer = try await held
            #expect(answer.value?.text == "1")
        }
    }

    @Test("A refusal reaches the caller with its status", arguments: [429, 503])
    func refusal(status: Int) async throws {
        try await withRegistry { registry, client, _ in
            registry.misbehave(.refuse(status == 429 ? .tooMany : .unavailable))
            let error = await #expect(throws: MusterError.self) {
                try await client.agent.register(ServiceRegistration(name: "web"))
            }
            #expect(error?.status == status)
        }
    }

    @Test("Half a reply and a closed connection are failures, not answers")
    func broken() async throws {
        try await withRegistry { registry, client, _ in
            try registry.register(ServiceRegistration(name: "web", port: 80))
            for misbehaviour in [Misbehaviour.halfReplies, .hangUp] {
                registry.misbehave(misbehaviour)
                await #expect(throws: MusterError.self) {
                    try await client.health.service("web")
                }
                registry.behave()
            }
        }
    }

    @Test("It lies about lists and indexes as it is told")
    func lies() async throws {
        try await withRegistry { registry, client, _ in
            for port in 1...3 {
                try registry.register(
                    ServiceRegistration(id: "web\(port)", name: "web", port: port)
                )
            }
            let honest = try await client.health.service("web")
            registry.misbehave(.emptyLists)
            #expect(try await client.health.service("web").value.isEmpty)
            registry.behave()
            registry.misbehave(.duplicates)
            #expect(try await client.health.service("web").value.count == 6)
            registry.behave()
            registry.misbehave(.indexZero)
            #expect(try await client.health.service("web").index == 0)
            registry.behave()
            registry.misbehave(.indexLower(by: 2))
            #expect(try await client.health.service("web").index == honest.index - 2)
        }
    }
}
