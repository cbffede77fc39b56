import MusterBalancing
import MusterDiscovery
import MusterTesting
import Testing

@Suite("In-memory discovery", .timeLimit(.minutes(1)))
struct InMemoryDiscoveryTests {
    @Test("What is set is found at once, by views, sequences and balancers made before and after")
    func set() async throws {
        try await InMemoryDiscovery.withDiscovery { memory in
            let early = memory.discovery.service("orders").balancer()
            #expect(throws: BalancingError.self) { _ = try early.pick() }
            memory.set([.test("a", port: 1)], for: "orders")
            #expect(try early.pick().endpoint.port == 1)
            #expect(memory.discovery.service("orders").current?.instances.count == 1)
            let found = try await memory.discovery.instances("orders")
            #expect(found.instances.map(\.id.serviceID) == ["a"])
        }
    }

    @Test("A patch changes the list, and its difference is seen by a watcher")
    func patch() async throws {
        try await InMemoryDiscovery.withDiscovery { memory in
            memory.set([.test("a", port: 1)], for: "orders")
            var snapshots = memory.discovery.service("orders").snapshots.makeAsyncIterator()
            let first = try #require(await snapshots.next())
            memory.patch("orders") { $0.append(.test("b", port: 2)) }
            let second = try #require(await snapshots.next())
            #expect(second.difference(from: first).added.map(\.id.serviceID) == ["b"])
            #expect(second.generation == first.generation + 1)
        }
    }

    @Test("A query that nobody set fails at once instead of waiting")
    func unset() async throws {
        try await InMemoryDiscovery.withDiscovery { memory in
            memory.set([.test("a", port: 1)], for: "orders")
            await #expect(throws: DiscoveryError.self) {
                try await memory.discovery.instances(ServiceQuery("orders", tags: ["v2"]))
            }
        }
    }

    @Test("A lost registry leaves the instances and says that they are stale")
    func stale() async throws {
        try await InMemoryDiscovery.withDiscovery { memory in
            memory.set([.test("a", port: 1)], for: "orders")
            memory.loseRegistry(for: "orders")
            let snapshot = try await memory.discovery.instances("orders")
            #expect(snapshot.instances.count == 1)
            guard case .stale = snapshot.origin else {
                Issue.record("\(snapshot.origin)")
                return
            }
        }
    }

    @Test("A discovery that runs does not ask, and keeps what was set")
    func running() async throws {
        try await InMemoryDiscovery.withDiscovery { memory in
            memory.set([.test("a", port: 1)], for: "orders")
            let discovery = memory.discovery
            await withTaskGroup(of: Void.self) { group in
                // It only ends by being cancelled.
                group.addTask { try? await discovery.run() }
                memory.patch("orders") { $0 = [.test("b", port: 2)] }
                #expect(discovery.service("orders").current?.instances.first?.endpoint.port == 2)
                group.cancelAll()
            }
        }
    }
}
