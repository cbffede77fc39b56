import MusterAPI
import Testing

@Suite(.live, .timeLimit(.minutes(2))) struct CatalogLiveTests {
    private func withExternalNode(
        _ body: (MusterClient, _ node: String, _ service: String) async throws -> Void
    ) async throws {
        try await Live.withClient { client in
            let node = Live.unique("node")
            let service = Live.unique("service")
            for (id, zone, status) in [("1", "a", CheckStatus.passing), ("2", "b", .critical)] {
                try await client.catalog.register(
                    CatalogRegistration(
                        node: node,
                        address: "10.9.8.7",
                        nodeMeta: ["external": node],
                        service: AgentService(
                            id: "\(service)-\(id)",
                            name: service,
                            tags: ["t\(id)", "all"],
                            meta: ["zone": zone],
                            port: 8000,
                            weights: ServiceWeights(passing: 3, warning: 1)
                        ),
                        check: HealthCheck(
                            node: node,
                            checkID: "c\(id)",
                            name: "check",
                            status: status,
                            output: "said \"ü\"\n",
                            serviceID: "\(service)-\(id)"
                        )
                    )
                )
            }
            try await body(client, node, service)
            try await client.catalog.deregister(CatalogDeregistration(node: node))
            #expect(try await client.catalog.node(node).value == nil)
        }
    }

    @Test func whatIsWrittenIntoTheCatalogIsReadBackEverywhere() async throws {
        try await withExternalNode { client, node, service in
            let instances = try await client.catalog.service(service).value
            #expect(instances.map(\.serviceID).sorted() == ["\(service)-1", "\(service)-2"])
            #expect(instances.allSatisfy { $0.node == node && $0.servicePort == 8000 })
            let nodes = try await client.catalog.nodes(
                options: QueryOptions(nodeMeta: ["external": node])
            ).value
            #expect(nodes.map(\.node) == [node])
            #expect(nodes.first?.address == "10.9.8.7")
            let tags = try await client.catalog.services().value[service]
            #expect(tags.map(Set.init) == ["t1", "t2", "all"])
            let listed = try #require(try await client.catalog.node(node).value)
            #expect(listed.services.count == 2)
            let list = try #require(try await client.catalog.nodeServices(node).value)
            #expect(list.services.count == 2)
            #expect(try await client.catalog.connect(service).value.isEmpty)
            #expect(try await client.catalog.gatewayServices(service).value.isEmpty)
        }
    }

    @Test func healthIsReadByServiceTagStateAndFilter() async throws {
        try await withExternalNode { client, node, service in
            let all = try await client.health.service(service)
            #expect(all.value.count == 2)
            #expect(all.index > 0)
            #expect(all.knownLeader)
            let entry = try #require(all.value.first { $0.service.id == "\(service)-1" })
            #expect(entry.checks.map(\.output) == ["said \"ü\"\n"])
            #expect(entry.aggregatedStatus == .passing)
            #expect(entry.service.weights == ServiceWeights(passing: 3, warning: 1))
            #expect(entry.node.meta["external"] == node)
            let passing = try await client.health.service(service, passing: true).value
            #expect(passing.map(\.service.id) == ["\(service)-1"])
            let tagged = try await client.health.service(service, tags: ["t2", "all"]).value
            #expect(tagged.map(\.service.id) == ["\(service)-2"])
            let filter = QueryOptions(filter: #"Service.Meta.zone == "b""#)
            let filtered = try await client.health.service(service, options: filter).value
            #expect(filtered.map(\.service.id) == ["\(service)-2"])
            let critical = try await client.health.state(.critical).value
            #expect(critical.contains { $0.node == node && $0.checkID == "c2" })
            #expect(!critical.contains { $0.node == node && $0.checkID == "c1" })
            let any = try await client.health.state(nil).value
            #expect(any.filter { $0.node == node }.map(\.checkID).sorted() == ["c1", "c2"])
            #expect(try await client.health.node(node).value.count == 2)
            #expect(try await client.health.checks(service: service).value.count == 2)
            #expect(try await client.health.connect(service).value.isEmpty)
            #expect(try await client.health.ingress(service).value.isEmpty)
        }
    }

    @Test func everyConsistencyAndTheCacheAnswerAlike() async throws {
        try await withExternalNode { client, _, service in
            let plain = try await client.health.service(service)
            for consistency in [Consistency.stale, .consistent] {
                let options = QueryOptions(consistency: consistency)
                let response = try await client.health.service(service, options: options)
                #expect(response.value == plain.value)
                #expect(response.index == plain.index)
            }
            let cache = CacheControl(maxAge: .seconds(60), staleIfError: .seconds(60))
            let cached = QueryOptions(cache: cache)
            _ = try await client.health.service(service, options: cached)
            let second = try await client.health.service(service, options: cached)
            #expect(second.cacheHit == true)
            #expect(second.value == plain.value)
            let near = QueryOptions(near: "_agent")
            #expect(try await client.health.service(service, options: near).value.count == 2)
        }
    }

    @Test func aBadFilterIsRefusedWithTheRegistrysWords() async throws {
        try await Live.withClient { client in
            let error = await #expect(throws: MusterError.self) {
                _ = try await client.catalog.nodes(options: QueryOptions(filter: "no such =="))
            }
            #expect(error?.status == 400 || error?.status == 500)
            #expect(error?.body.isEmpty == false)
        }
    }

    @Test func anUnknownDatacenterIsAnError() async throws {
        try await Live.withClient({ $0.retries = .off }) { client in
            let error = await #expect(throws: MusterError.self) {
                _ = try await client.catalog.nodes(options: QueryOptions(datacenter: "nowhere"))
            }
            #expect(error?.status == 500)
            #expect(error?.body.contains("No path to datacenter") == true)
        }
    }

    @Test func aTransactionWritesTheCatalogToo() async throws {
        try await Live.withClient { client in
            let node = Live.unique("txnode")
            let outcome = try await client.transaction([
                TransactionOperation(
                    node: NodeOperation(
                        verb: "set",
                        node: CatalogNode(node: node, address: "10.1.1.1")
                    )
                ),
                TransactionOperation(
                    service: ServiceOperation(
                        verb: "set",
                        node: node,
                        service: AgentService(id: "s1", name: node, port: 1)
                    )
                ),
                TransactionOperation(
                    check: CheckOperation(
                        verb: "set",
                        check: HealthCheck(node: node, checkID: "c", name: "c", status: .passing)
                    )
                ),
            ])
            #expect(outcome.failures.isEmpty)
            #expect(try await client.health.service(node, passing: true).value.count == 1)
            try await client.catalog.deregister(CatalogDeregistration(node: node))
        }
    }
}
