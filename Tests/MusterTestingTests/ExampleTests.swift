import MusterAPI
import MusterBalancing
import MusterDiscovery
import MusterTesting
import Testing

/// What an application might have: it greets through whichever instance the balancer picks.
struct Frontend {
    let greeters: Balancer

    func target() throws -> String {
        let pick = try greeters.pick()
        let endpoint = pick.endpoint
        pick.complete(.success)
        return endpoint.authority
    }
}

/// The examples of the documentation's article on testing.
@Suite("Examples of testing with MusterTesting", .timeLimit(.minutes(1)))
struct ExampleTests {
    @Test("A frontend calls the instances there are, without a registry")
    func withoutRegistry() async throws {
        try await InMemoryDiscovery.withDiscovery { memory in
            memory.set([.test("a", port: 8081)], for: "greeter")
            let frontend = Frontend(greeters: memory.discovery.service("greeter").balancer())
            let target = try frontend.target()
            #expect(target == "127.0.0.1:8081")

            memory.patch("greeter") { $0 = [.test("b", port: 8082)] }
            let next = try frontend.target()
            #expect(next == "127.0.0.1:8082")
        }
    }

    @Test("An instance that is registered is found, and one that dies is not offered any more")
    func withRegistry() async throws {
        let clock = ManualClock()
        try await InMemoryRegistry.withRegistry(clock: clock.source) { registry in
            try await MusterClient.withClient(registry.clientConfiguration) { client in
                let discovery = Discovery(client: client)
                let registrar = ServiceRegistrar(
                    ServiceRegistration(name: "greeter", port: 8081, address: "127.0.0.1"),
                    client: client
                )
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await discovery.run() }
                    group.addTask { try await registrar.run() }

                    // Registered, and its first heartbeat has come.
                    _ = try await registry.contents { $0.status(of: "greeter") == .passing }
                    let greeters = discovery.service("greeter")
                    for await snapshot in greeters.snapshots where !snapshot.instances.isEmpty {
                        #expect(snapshot.instances.map(\.endpoint.port) == [8081])
                        break
                    }

                    // Its checks fail: it is not offered any more once the list is believed.
                    registry.set(.critical, of: "greeter")
                    for await snapshot in greeters.snapshots {
                        guard case .protected = snapshot.origin else { continue }
                        break
                    }
                    group.cancelAll()
                }
            }
        }
    }

    @Test("A registry that lies is caught lying")
    func hostileRegistry() async throws {
        try await InMemoryRegistry.withRegistry { registry in
            try registry.register(
                ServiceRegistration(name: "greeter", port: 8081, address: "127.0.0.1")
            )
            registry.misbehave(.emptyLists)
            try await MusterClient.withClient(registry.clientConfiguration) { client in
                let empty = try await client.health.service("greeter")
                #expect(empty.value.isEmpty)
                registry.behave()
                let honest = try await client.health.service("greeter")
                #expect(honest.value.count == 1)
            }
        }
    }
}
