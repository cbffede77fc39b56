import MusterAPI
import Testing

@Suite(.live, .timeLimit(.minutes(2))) struct RegistrationLiveTests {
    @Test func anInstanceIsFoundHealthyOnceItsCheckPasses() async throws {
        try await Live.withClient { client in
            let name = Live.unique("live")
            let id = name + "-1"
            try await client.agent.register(
                ServiceRegistration(
                    id: id,
                    name: name,
                    tags: ["a", "b"],
                    port: 8080,
                    address: "127.0.0.9",
                    meta: ["zone": "z1"],
                    weights: ServiceWeights(passing: 10, warning: 2),
                    check: .ttl(.seconds(60))
                )
            )
            let born = try await Live.eventually {
                try await client.health.service(name, options: $0)
            } until: {
                $0.count == 1
            }
            let entry = try #require(born.value.first)
            #expect(entry.service.id == id)
            #expect(entry.service.tags == ["a", "b"])
            #expect(entry.service.meta == ["zone": "z1"])
            #expect(entry.service.weights == ServiceWeights(passing: 10, warning: 2))
            #expect(entry.aggregatedStatus == .critical)
            #expect(born.index > 0)

            try await client.agent.update(
                checkID: "service:" + id,
                status: .passing,
                output: "well"
            )
            let healthy = try await Live.eventually {
                try await client.health.service(name, tags: ["b"], passing: true, options: $0)
            } until: {
                $0.count == 1
            }
            #expect(healthy.value.first?.aggregatedStatus == .passing)
            #expect(healthy.value.first?.checks.contains { $0.output == "well" } == true)

            try await client.agent.deregister(serviceID: id)
            let gone = try await Live.eventually {
                try await client.health.service(name, options: $0)
            } until: {
                $0.isEmpty
            }
            #expect(gone.value.isEmpty)
        }
    }
}
