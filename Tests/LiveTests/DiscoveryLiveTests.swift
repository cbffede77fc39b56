import Logging
import MusterAPI
import MusterBalancing
import MusterDiscovery
import Testing

/// Lookups of a real agent's instances while they come and go.
@Suite(.live, .timeLimit(.minutes(2))) struct DiscoveryLiveTests {
    private static let quiet = Logger(label: "live") { _ in SwiftLogNoOpLogHandler() }

    /// Runs a discovery beside a test.
    private func withDiscovery(
        _ configure: (inout Discovery.Configuration) -> Void = { _ in },
        _ body: (MusterClient, Discovery) async throws -> Void
    ) async throws {
        try await Live.withClient { client in
            var configuration = Discovery.Configuration()
            configure(&configuration)
            let discovery = Discovery(
                client: client,
                configuration: configuration,
                logger: Self.quiet
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await discovery.run() }
                try await body(client, discovery)
                group.cancelAll()
            }
        }
    }

    private func register(
        _ client: MusterClient,
        _ name: String,
        _ port: Int,
        meta: [String: String] = [:],
        tags: [String] = [],
        weights: ServiceWeights? = nil
    ) async throws {
        try await client.agent.register(
            ServiceRegistration(
                id: "\(name)-\(port)",
                name: name,
                tags: tags,
                port: port,
                address: "127.0.0.9",
                meta: meta,
                weights: weights
            )
        )
    }

    /// Reads on until the instances listen on these ports.
    private func wait(
        _ snapshots: inout ServiceSnapshots.Iterator,
        for ports: Set<UInt16>
    ) async throws -> ServiceSnapshot {
        while let snapshot = await snapshots.next() {
            if Set(snapshot.instances.map(\.endpoint.port)) == ports { return snapshot }
        }
        throw CancellationError()
    }

    @Test func aWatchFollowsInstancesThatComeAndGoAndChange() async throws {
        try await withDiscovery({ $0.emptyHold = .zero }) { client, discovery in
            let name = Live.unique("watched")
            var snapshots = discovery.service(ServiceQuery(name)).snapshots.makeAsyncIterator()
            let none = try await wait(&snapshots, for: [])
            #expect(none.origin == .live)
            try await register(client, name, 1001, meta: ["zone": "a"])
            let first = try await wait(&snapshots, for: [1001])
            #expect(first.instances.first?.zone == "a")
            #expect(first.instances.first?.endpoint.host == "127.0.0.9")
            #expect(first.index > none.index)
            try await register(client, name, 1002)
            _ = try await wait(&snapshots, for: [1001, 1002])
            try await client.agent.deregister(serviceID: "\(name)-1001")
            _ = try await wait(&snapshots, for: [1002])
            try await client.agent.deregister(serviceID: "\(name)-1002")
            _ = try await wait(&snapshots, for: [])
        }
    }

    @Test func maintenanceTakesAnInstanceOutAndBringsItBack() async throws {
        try await withDiscovery({ $0.emptyHold = .zero }) { client, discovery in
            let name = Live.unique("maintained")
            try await register(client, name, 1001)
            var snapshots = discovery.service(ServiceQuery(name)).snapshots.makeAsyncIterator()
            _ = try await wait(&snapshots, for: [1001])
            try await client.agent.setMaintenance(true, serviceID: "\(name)-1001", reason: "test")
            _ = try await wait(&snapshots, for: [])
            try await client.agent.setMaintenance(false, serviceID: "\(name)-1001")
            _ = try await wait(&snapshots, for: [1001])
        }
    }

    @Test func tagsMetadataAndFiltersSelect() async throws {
        try await withDiscovery { client, discovery in
            let name = Live.unique("selected")
            try await register(client, name, 1001, meta: ["v": "1"], tags: ["a", "b"])
            try await register(client, name, 1002, meta: ["v": "2 \"\\ ü"], tags: ["a"])
            try await register(client, name, 1003, meta: ["v": "2 \"\\ ü", "odd-key_1": "x"])
            let queries: [(ServiceQuery, Set<UInt16>)] = [
                (ServiceQuery(name), [1001, 1002, 1003]),
                (ServiceQuery(name, tags: ["a"]), [1001, 1002]),
                (ServiceQuery(name, tags: ["a", "b"]), [1001]),
                (ServiceQuery(name, meta: ["v": "1"]), [1001]),
                (ServiceQuery(name, meta: ["v": "2 \"\\ ü"]), [1002, 1003]),
                (ServiceQuery(name, meta: ["v": "2 \"\\ ü", "odd-key_1": "x"]), [1003]),
                (ServiceQuery(name, tags: ["a"], filter: #"Service.Meta.v != "1""#), [1002]),
                (ServiceQuery(name, nodeMeta: ["no": "such"]), []),
                (ServiceQuery(name, near: Proximity(5)), [1001, 1002, 1003]),
            ]
            for (query, ports) in queries {
                var snapshots = discovery.service(query).snapshots.makeAsyncIterator()
                _ = try await wait(&snapshots, for: ports)
            }
        }
    }

    @Test func aFilterThatIsNoneFailsTheLookupWithTheAgentsOwnWords() async throws {
        try await withDiscovery({ $0.firstAnswerTimeout = .seconds(1) }) { _, discovery in
            let query = ServiceQuery("any", filter: "Service.Nonsense ==")
            let error = await #expect(throws: DiscoveryError.self) {
                _ = try await discovery.instances(query)
            }
            #expect((error?.cause as? MusterError)?.body.isEmpty == false)
        }
    }

    @Test func aDatacenterThatIsUnknownIsReplacedByTheNext() async throws {
        try await withDiscovery { client, discovery in
            let name = Live.unique("elsewhere")
            try await register(client, name, 1001)
            let query = ServiceQuery(name, datacenters: ["nowhere", .local])
            var snapshots = discovery.service(query).snapshots.makeAsyncIterator()
            let found = try await wait(&snapshots, for: [1001])
            #expect(found.origin == .live)
        }
    }

    @Test func everyFreshnessIsAnswered() async throws {
        try await withDiscovery { client, discovery in
            let name = Live.unique("fresh")
            try await register(client, name, 1001)
            for freshness: ServiceQuery.Freshness in [
                .standard, .consistent, .stale(maxLag: .seconds(10)),
            ] {
                let query = ServiceQuery(name, freshness: freshness)
                var snapshots = discovery.service(query).snapshots.makeAsyncIterator()
                _ = try await wait(&snapshots, for: [1001])
            }
        }
    }

    @Test func aKeyAndAPrefixAreFollowedThroughDeletion() async throws {
        try await Live.withClient { client in
            let key = Live.unique("live") + "/a b"
            var values = client.keyValue.watch(key).makeAsyncIterator()
            var trees = client.keyValue.watch(prefix: key).makeAsyncIterator()
            let none = try #require(await values.next())
            #expect(none.value == nil)
            let empty = try #require(await trees.next())
            #expect(empty.value.isEmpty)
            try await client.keyValue.put(key, "x")
            let some = try #require(await values.next())
            #expect(some.value?.value == Array("x".utf8))
            let one = try #require(await trees.next())
            #expect(one.value.map(\.key) == [key])
            try await client.keyValue.delete(key)
            let gone = try #require(await values.next())
            #expect(gone.value == nil)
            let emptied = try #require(await trees.next())
            #expect(emptied.value.isEmpty)
        }
    }
}

/// Lookups while the agent itself is killed and comes back with nothing in it.
@Suite(.live, .enabled(if: Live.binary != nil), .timeLimit(.minutes(2)))
struct RestartLiveTests {
    @Test func whileTheAgentIsAwayAndWhenItHasForgottenEveryoneTheInstancesStay() async throws {
        let agent = try DevelopmentAgent()
        defer { agent.kill() }
        try await MusterClient.withClient(agent.configuration) { client in
            try await agent.start(client)
            for port in 1001...1003 { try await register(client, port) }
            let discovery = Discovery(
                client: client,
                logger: Logger(label: "live") { _ in SwiftLogNoOpLogHandler() }
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await discovery.run() }
                let service = discovery.service("web")
                let balancer = service.balancer()
                var snapshots = service.snapshots.makeAsyncIterator()
                while let next = await snapshots.next(), next.instances.count < 3 {}
                agent.kill()
                while let next = await snapshots.next(), next.origin == .live {}
                #expect(service.current?.instances.count == 3)
                _ = try balancer.pick()
                try await agent.start(client)
                // It lists nobody: the known instances stay.
                while let next = await snapshots.next(), !isProtected(next) {}
                #expect(service.current?.instances.count == 3)
                _ = try balancer.pick()
                for port in 1001...1004 { try await register(client, port) }
                while let next = await snapshots.next() {
                    #expect(next.instances.count >= 3)
                    if next.instances.count == 4, next.origin == .live { break }
                }
                group.cancelAll()
            }
        }
    }

    private func isProtected(_ snapshot: ServiceSnapshot) -> Bool {
        if case .protected = snapshot.origin { true } else { false }
    }

    private func register(_ client: MusterClient, _ port: Int) async throws {
        try await client.agent.register(
            ServiceRegistration(id: "web-\(port)", name: "web", port: port, address: "127.0.0.9")
        )
    }
}
