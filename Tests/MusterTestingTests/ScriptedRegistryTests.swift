import MusterAPI
import MusterBalancing
import MusterTesting
import Testing

@Suite("Scripted registry", .timeLimit(.minutes(1)))
struct ScriptedRegistryTests {
    private func withClient(
        _ body: (ScriptedRegistry, MusterClient) async throws -> Void
    ) async throws {
        let registry = ScriptedRegistry()
        let address = RegistryAddress.http(host: "127.0.0.1", port: try await registry.start())
        try await MusterClient.withClient(ClientConfiguration(address: address)) { client in
            try await body(registry, client)
        }
        try await registry.stop()
    }

    @Test("Instances become health entries, those given twice twice, in their health")
    func instances() async throws {
        try await withClient { registry, client in
            let ill = Instance.test("b", port: 2, weight: 7, health: .warning, zone: "z")
            registry.answer("/v1/health/service/web") { _ in
                .instances([.test("a", port: 1), ill, ill], of: "web", index: 9)
            }
            let reply = try await client.health.service("web")
            #expect(reply.index == 9)
            #expect(reply.value.map(\.service.id) == ["a", "b", "b"])
            #expect(reply.value.map(\.aggregatedStatus) == [.passing, .warning, .warning])
            #expect(reply.value[1].service.meta["zone"] == "z")
            #expect(reply.value[1].service.weights?.passing == 7)
        }
    }

    @Test("So many requests are refused and the next is answered")
    func refuses() async throws {
        try await withClient { registry, client in
            registry.answer("/v1/agent/service/register") { _ in ScriptedReply() }
            registry.refuse("/v1/agent/service", with: .tooMany, times: 2)
            let registration = ServiceRegistration(name: "web")
            for _ in 1...2 {
                let error = await #expect(throws: MusterError.self) {
                    try await client.agent.register(registration)
                }
                #expect(error?.status == 429)
            }
            try await client.agent.register(registration)
        }
    }

    @Test("Silence, a closed connection and half a body are no answers")
    func faults() async throws {
        try await withClient { registry, client in
            for fault in [ScriptedReply.hangUp, ScriptedReply(200, "[1,2,3]").cutOff(after: 3)] {
                registry.answer("/v1/catalog/datacenters") { _ in fault }
                await #expect(throws: MusterError.self) { try await client.catalog.datacenters() }
            }
            registry.answer("/v1/catalog/datacenters") { _ in .silence }
            var request = RegistryRequest("/v1/catalog/datacenters")
            request.timeout = .milliseconds(50)
            let hanging = request
            await #expect(throws: MusterError.self) { try await client.send(hanging) }
        }
    }

    @Test("A body arrives piece by piece, as the test sends it")
    func slowBody() async throws {
        try await withClient { registry, client in
            async let names = client.catalog.datacenters()
            let body = await registry.next("/v1/catalog/datacenters").begin()
            for piece in ["[\"d", "c1\"", "]"] { body.send(piece) }
            body.end()
            let received = try await names
            #expect(received == ["dc1"])
        }
    }

    @Test("A crash closes connections, and it comes back on the same port")
    func crash() async throws {
        try await withClient { registry, client in
            async let lost = client.agent.register(ServiceRegistration(name: "web"))
            let request = await registry.next("/v1/agent/service/register")
            #expect(registry.connectionCount == 1)
            try await registry.crash()
            await request.closed()
            do {
                try await lost
                Issue.record("a lost request succeeded")
            } catch {
                #expect(error is MusterError)
            }
            let address = RegistryAddress.http(host: "127.0.0.1", port: try await registry.start())
            #expect(address == client.configuration.address)
            registry.answer("/v1/catalog/datacenters") { _ in ScriptedReply(200, "[]") }
            #expect(try await client.catalog.datacenters() == [])
        }
    }
}
