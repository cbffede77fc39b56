#if GRPC
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import MusterAPI
import MusterBalancing
import MusterDiscovery
import MusterGRPC
import MusterTesting
import Testing

/// Services of the registry as targets of gRPC's own transport.
@Suite(.timeLimit(.minutes(1)))
struct ResolverTests {
    @Test func theInstancesOfATargetAreTakenInTurnAndFollowed() async throws {
        let servers = [TestServer("a"), TestServer("b"), TestServer("c")]
        var instances: [Instance] = []
        for server in servers { instances.append(try await server.start()) }
        try await InMemoryDiscovery.withDiscovery { memory in
            let query = ServiceQuery("names", tags: ["grpc"])
            memory.set(Array(instances[..<2]), for: query)
            var registry = NameResolverRegistry.defaults
            registry.registerFactory(RegistryNameResolverFactory(discovery: memory.discovery))
            let transport = try HTTP2ClientTransport.Posix(
                target: .consul("names", tags: ["grpc"]),
                transportSecurity: .plaintext,
                resolverRegistry: registry
            )
            try await withGRPCClient(transport: transport) { client in
                while servers[..<2].contains(where: { $0.calls == 0 }) {
                    _ = try await client.name()
                }
                #expect(servers[2].calls == 0)
                memory.set([instances[2]], for: query)
                // gRPC's own transport may close a connection under a call that has just begun.
                while servers[2].calls == 0 { _ = try? await client.name() }
            }
        }
        for server in servers { await server.kill() }
    }

    @Test func anEmptyServiceFailsCallsInsteadOfHoldingThem() async throws {
        try await InMemoryDiscovery.withDiscovery { memory in
            memory.set([], for: "names")
            var registry = NameResolverRegistry.defaults
            registry.registerFactory(RegistryNameResolverFactory(discovery: memory.discovery))
            let transport = try HTTP2ClientTransport.Posix(
                target: .muster("names"),
                transportSecurity: .plaintext,
                resolverRegistry: registry
            )
            try await withGRPCClient(transport: transport) { client in
                let error = await #expect(throws: RPCError.self) { try await client.name() }
                #expect(error?.code == .unavailable)
                #expect(error.map { "\($0)" }?.contains("names") == true)
            }
        }
    }

    @Test func aURLOfOtherResolversIsUnderstood() throws {
        let url = try RegistryURL(
            "consul://agent.example:8501/in%20ventory?tag=grpc,v2&tag=eu&dc=dc2&healthy=false"
                + "&token=t&filter=Service.Meta.x%20%3D%3D%201"
        )
        #expect(url.agent == .http(host: "agent.example", port: 8501))
        #expect(url.query.name == "in ventory")
        #expect(url.query.tags == ["grpc", "v2", "eu"])
        #expect(url.query.datacenters == ["dc2"])
        #expect(url.query.minimumHealth == .critical)
        #expect(url.query.filter == "Service.Meta.x == 1")
        #expect(url.token == "t")
        let short = try RegistryURL("muster:///inventory")
        #expect(short.agent == nil)
        #expect(short.query == "inventory")
    }

    @Test(arguments: [
        "http://a/b", "consul://agent", "consul://agent/", "consul://a/b/c", "consul:///s?tag",
        "consul:///s?colour=red", "consul:///s?healthy=maybe", "consul:///%zz", "consul:///%f",
        "consul://a:99999/s", "",
    ])
    func aBrokenURLIsRefusedWithAReason(text: String) {
        let error = #expect(throws: MusterError.self) { try RegistryURL(text) }
        #expect(error?.code == .invalidConfiguration)
    }
}
#endif
