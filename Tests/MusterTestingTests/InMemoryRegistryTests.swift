import MusterAPI
import MusterDiscovery
import MusterTesting
import Testing

/// Runs a test with a registry, a client of it, and time under the test's control.
func withRegistry(
    _ body: (InMemoryRegistry, MusterClient, ManualClock) async throws -> Void
) async throws {
    let clock = ManualClock()
    try await InMemoryRegistry.withRegistry(clock: clock.source) { registry in
        try await MusterClient.withClient(registry.clientConfiguration) { client in
            try await body(registry, client, clock)
        }
    }
}

@Suite("In-memory registry", .timeLimit(.minutes(1)))
struct InMemoryRegistryTests {
    private let web = ServiceRegistration(
        name: "web",
        tags: ["v1"],
        port: 80,
        meta: ["zone": "a"],
        checks: [.ttl(.seconds(15))]
    )

    @Test("A registered instance is found, with its checks, once it reports that it passes")
    func registers() async throws {
        try await withRegistry { registry, client, _ in
            try await client.agent.register(web)
            #expect(registry.contents.status(of: "web") == .critical)
            let none = try await client.health.service("web", passing: true)
            #expect(none.value.isEmpty)
            try await client.agent.update(checkID: "service:web", status: .passing)
            let found = try await client.health.service("web", passing: true)
            #expect(found.value.map(\.service.port) == [80])
            #expect(found.value.first?.service.meta == ["zone": "a"])
            #expect(found.index > none.index)
            try await client.agent.deregister(serviceID: "web")
            #expect(try await client.health.service("web").value.isEmpty)
        }
    }

    @Test("A TTL check that is not renewed in time turns critical, and one that is does not")
    func timeToLive() async throws {
        try await withRegistry { registry, client, clock in
            try await client.agent.register(web)
            try await client.agent.update(checkID: "service:web", status: .passing)
            clock.advance(by: .seconds(14))
            try await client.agent.update(checkID: "service:web", status: .passing)
            clock.advance(by: .seconds(14))
            #expect(try await client.agent.health(serviceID: "web")?.aggregatedStatus == .passing)
            clock.advance(by: .seconds(1))
            let contents = try await registry.contents { $0.status(of: "web") == .critical }
            #expect(contents.checks["service:web"]?.output == "TTL expired")
        }
    }

    @Test("A check that the registry does not know is refused as Consul refuses it")
    func unknownCheck() async throws {
        try await withRegistry { _, client, _ in
            let error = await #expect(throws: MusterError.self) {
                try await client.agent.update(checkID: "service:none", status: .passing)
            }
            #expect(error?.saysUnknownCheck == true)
        }
    }

    @Test("A blocking query waits for a change of what it reads, and for nothing else")
    func blocks() async throws {
        try await withRegistry { registry, client, _ in
            try registry.register(ServiceRegistration(name: "web", port: 80))
            let first = try await client.health.service("web")
            var options = QueryOptions()
            options.index = first.index
            async let next = client.health.service("web", options: options)
            try await waitUntilParked(registry)
            try registry.register(ServiceRegistration(name: "other", port: 1))
            registry.set("value", forKey: "unrelated")
            #expect(registry.waitingCount == 1)
            try registry.register(ServiceRegistration(name: "web", port: 81))
            let answer = try await next
            #expect(answer.value.map(\.service.port) == [81])
        }
    }

    @Test("A blocking query ends with the same index when its time is over")
    func waitEnds() async throws {
        try await withRegistry { registry, client, clock in
            registry.set("1", forKey: "a")
            let first = try await client.keyValue.get("a")
            var options = QueryOptions()
            options.index = first.index
            options.wait = .seconds(60)
            async let next = client.keyValue.get("a", options: options)
            try await waitUntilParked(registry)
            clock.advance(by: .seconds(60))
            let answer = try await next
            #expect(answer.index == first.index)
        }
    }

    @Test("Keys are written on condition, listed, cut at separators and deleted")
    func keys() async throws {
        try await withRegistry { _, client, _ in
            let keys = client.keyValue
            #expect(try await keys.put("app/a", "1", if: .absent))
            #expect(try await !keys.put("app/a", "2", if: .absent))
            let pair = try #require(try await keys.get("app/a").value)
            #expect(pair.text == "1")
            let unchanged = KeyValueCondition.unchanged(since: pair.modifyIndex)
            #expect(try await keys.put("app/a", "3", if: unchanged))
            #expect(try await !keys.put("app/a", "4", if: unchanged))
            #expect(try await keys.put("app/sub/b", "5"))
            #expect(try await keys.list("app/").value.map(\.text) == ["3", "5"])
            #expect(try await keys.keys("app/", separator: "/").value == ["app/a", "app/sub/"])
            try await keys.deleteAll(prefix: "app/")
            #expect(try await keys.get("app/a").value == nil)
        }
    }

    @Test("A lost session gives its locks up, and they stay barred for the lock delay")
    func sessions() async throws {
        try await withRegistry { registry, client, clock in
            var request = SessionRequest()
            request.ttl = .seconds(10)
            request.lockDelay = .seconds(5)
            let first = try await client.session.create(request)
            let second = try await client.session.create(SessionRequest())
            let keys = client.keyValue
            #expect(try await keys.put("lock", "", if: .acquire(session: first)))
            #expect(try await !keys.put("lock", "", if: .acquire(session: second)))
            clock.advance(by: .seconds(20))
            let contents = try await registry.contents { $0.sessions[first] == nil }
            #expect(contents.keys["lock"]?.session == nil)
            #expect(try await !keys.put("lock", "", if: .acquire(session: second)))
            clock.advance(by: .seconds(5))
            #expect(try await keys.put("lock", "", if: .acquire(session: second)))
            #expect(registry.contents.keys["lock"]?.lockIndex == 2)
        }
    }

    @Test("A restart forgets everything, and indexes begin anew on the same port")
    func restart() async throws {
        try await withRegistry { registry, client, _ in
            for port in 1...5 {
                try registry.register(ServiceRegistration(name: "web", port: port))
            }
            let before = try await client.health.service("web")
            try await registry.restart()
            // A fresh client: the other's connection may die under its next request.
            let after = try await MusterClient.withClient(registry.clientConfiguration) {
                try await $0.health.service("web")
            }
            #expect(after.value.isEmpty && after.index < before.index)
        }
    }

    @Test("A stopped registry refuses connections; nothing is forgotten when it resumes")
    func stopAndResume() async throws {
        try await withRegistry { registry, client, _ in
            registry.set("1", forKey: "a")
            try await registry.stop()
            await #expect(throws: MusterError.self) { try await client.keyValue.get("a") }
            try await registry.resume()
            let pair = try await MusterClient.withClient(registry.clientConfiguration) {
                try await $0.keyValue.get("a").value
            }
            #expect(pair?.text == "1")
        }
    }

    @Test("A wrong parameter is refused", arguments: ["index=x", "wait=soon", "filter=a", "dc=b"])
    func wrongParameter(query: String) async throws {
        try await withRegistry { _, client, _ in
            let reply = try await client.send(RegistryRequest("/v1/health/service/web?" + query))
            #expect(reply.status == (query == "dc=b" ? 500 : 400))
        }
    }

    @Test("Filters on metadata choose instances; others are refused")
    func filters() async throws {
        try await withRegistry { registry, client, _ in
            for (port, version) in [(1, "1"), (2, "2")] {
                try registry.register(
                    ServiceRegistration(
                        id: "web\(port)",
                        name: "web",
                        port: port,
                        meta: ["version": version, "zone": "a"]
                    )
                )
            }
            var options = QueryOptions()
            for filter in [
                #"Service.Meta.version == "2""#,
                #"Service.Meta["zone"] == "a" and Service.Meta["version"] == "2""#,
            ] {
                options.filter = filter
                let found = try await client.health.service("web", options: options)
                #expect(found.value.map(\.service.id) == ["web2"])
            }
            options.filter = #"Service.Port == 1"#
            let refused = options
            let error = await #expect(throws: MusterError.self) {
                try await client.health.service("web", options: refused)
            }
            #expect(error?.status == 400)
        }
    }

    @Test("A request that it does not serve is refused with a text that says so")
    func unknownRoute() async throws {
        try await withRegistry { _, client, _ in
            let reply = try await client.send(RegistryRequest("/v1/acl/tokens"))
            #expect(reply.status == 404)
            #expect(String(decoding: reply.body, as: UTF8.self).contains("does not serve"))
        }
    }
}

/// Waits until a query is parked; a request under way is soon there.
func waitUntilParked(_ registry: InMemoryRegistry) async throws {
    while registry.waitingCount == 0 {
        try Task.checkCancellation()
        await Task.yield()
    }
}
