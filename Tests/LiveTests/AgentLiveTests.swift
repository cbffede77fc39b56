import MusterAPI
import Testing

@Suite(.live, .timeLimit(.minutes(2))) struct AgentLiveTests {
    private func withService(
        _ body: (MusterClient, _ name: String) async throws -> Void
    ) async throws {
        try await Live.withClient { client in
            let name = Live.unique("agent")
            try await client.agent.register(
                ServiceRegistration(name: name, port: 80, check: .ttl(.seconds(60)))
            )
            try await body(client, name)
            try await client.agent.deregister(serviceID: name)
        }
    }

    @Test func aServiceIsListedReadAndFollowedByItsHash() async throws {
        try await withService { client, name in
            #expect(try await client.agent.services()[name]?.port == 80)
            let filtered = try await client.agent.services(filter: "Service == \"\(name)\"")
            #expect(Array(filtered.keys) == [name])
            let before = try await client.agent.service(name)
            let hash = try #require(before.value?.contentHash)
            #expect(before.contentHash == hash)
            async let changed = client.agent.service(
                name,
                options: QueryOptions(hash: hash, wait: .seconds(60))
            )
            try await client.agent.register(
                ServiceRegistration(name: name, port: 81, check: .ttl(.seconds(60)))
            )
            #expect(try await changed.value?.port == 81)
            #expect(try await client.agent.service(Live.unique("none")).value == nil)
        }
    }

    @Test func healthIsTheWorstOfTheChecks() async throws {
        try await withService { client, name in
            #expect(try await client.agent.health(serviceID: name)?.aggregatedStatus == .critical)
            let check = "service:" + name
            try await client.agent.update(checkID: check, status: .warning, output: "slow")
            #expect(try await client.agent.health(serviceID: name)?.aggregatedStatus == .warning)
            try await client.agent.update(checkID: check, status: .passing)
            let all = try await client.agent.health(serviceName: name)
            #expect(all.map(\.aggregatedStatus) == [.passing])
            let unknown = Live.unique("none")
            #expect(try await client.agent.health(serviceID: unknown) == nil)
            #expect(try await client.agent.health(serviceName: unknown).isEmpty)
        }
    }

    @Test func aLongTextOfACheckArrivesWhole() async throws {
        try await withService { client, name in
            let text = String(repeating: "all is well; ", count: 200)
            let check = "service:" + name
            try await client.agent.update(checkID: check, status: .passing, output: text)
            #expect(try await client.agent.checks()[check]?.output == text)
            #expect(try await client.agent.checks()[check]?.status == .passing)
        }
    }

    @Test func maintenanceTakesAnInstanceOutAndPutsItBack() async throws {
        try await withService { client, name in
            try await client.agent.update(checkID: "service:" + name, status: .passing)
            try await client.agent.setMaintenance(true, serviceID: name, reason: "disk is full")
            let out = try await client.agent.health(serviceID: name)
            #expect(out?.aggregatedStatus == .maintenance)
            #expect(
                try await client.agent.checks()["_service_maintenance:" + name]?.notes
                    == "disk is full"
            )
            try await client.agent.setMaintenance(false, serviceID: name)
            #expect(try await client.agent.health(serviceID: name)?.aggregatedStatus == .passing)
            let error = await #expect(throws: MusterError.self) {
                try await client.agent.setMaintenance(true, serviceID: Live.unique("none"))
            }
            #expect(error?.code == .notFound)
        }
    }

    @Test func aCheckOfItsOwnComesAndGoes() async throws {
        try await withService { client, name in
            let id = name + "-extra"
            try await client.agent.register(
                check: CheckDefinition(
                    id: id,
                    name: "extra",
                    serviceID: name,
                    ttl: .seconds(60)
                )
            )
            #expect(try await client.agent.checks()[id]?.serviceID == name)
            try await client.agent.deregister(checkID: id)
            #expect(try await client.agent.checks()[id] == nil)
        }
    }

    @Test func aReportOnAnUnknownCheckSaysSo() async throws {
        try await Live.withClient { client in
            let error = await #expect(throws: MusterError.self) {
                try await client.agent.update(checkID: Live.unique("none"), status: .passing)
            }
            #expect(error?.saysUnknownCheck == true)
        }
    }

    @Test func anInvalidRegistrationIsABadRequestWithTheReason() async throws {
        try await Live.withClient { client in
            let error = await #expect(throws: MusterError.self) {
                try await client.agent.register(ServiceRegistration(name: ""))
            }
            #expect(error?.code == .badRequest)
            #expect(error?.body.isEmpty == false)
        }
    }
}
