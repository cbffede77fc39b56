import MusterAPI
import MusterTesting
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

@Suite(.timeLimit(.minutes(3))) struct RequestTests {
    @Test func optionsBecomeParametersAndHeaders() async throws {
        try await withRegistry { registry, client in
            registry.answer("/v1/health/service/") { request in
                #expect(
                    request.target
                        == "/v1/health/service/web%20app?tag=a%26b&tag=c&passing=1&dc=dc2&stale"
                        + "&near=_agent&node-meta=a%3A1&node-meta=b%3A2"
                        + "&filter=Service.Port%20%3D%3D%2080&cached"
                )
                #expect(request.header("X-Consul-Token") == "secret")
                #expect(request.header("Cache-Control") == "max-age=5, stale-if-error=60")
                return ScriptedReply(200, index: 7, "[]")
            }
            let options = QueryOptions(
                datacenter: "dc2",
                consistency: .stale,
                token: "secret",
                near: "_agent",
                nodeMeta: ["b": "2", "a": "1"],
                filter: "Service.Port == 80",
                cache: CacheControl(maxAge: .seconds(5), staleIfError: .seconds(60))
            )
            let response = try await client.health.service(
                "web app",
                tags: ["a&b", "c"],
                passing: true,
                options: options
            )
            #expect(response.value.isEmpty)
            #expect(response.index == 7)
        }
    }

    @Test func aBlockingQueryCarriesIndexAndWaitAndReadsTheHeaders() async throws {
        try await withRegistry { registry, client in
            registry.answer("/v1/kv/a/b") { request in
                #expect(request.parameter("index") == "12")
                #expect(request.parameter("wait") == "1ms")
                var reply = ScriptedReply(404, index: .max)
                reply.headers += [
                    ("X-Consul-KnownLeader", "false"), ("X-Consul-LastContact", "250"),
                    ("X-Cache", "HIT"), ("Age", "3"),
                ]
                return reply
            }
            let response = try await client.keyValue.get(
                "a/b",
                options: QueryOptions(index: 12, wait: .microseconds(3))
            )
            #expect(response.value == nil)
            #expect(response.index == .max)
            #expect(!response.knownLeader)
            #expect(response.lastContact == .milliseconds(250))
            #expect(response.cacheHit == true)
            #expect(response.age == .seconds(3))
        }
    }

    @Test func indexZeroDoesNotBlock() async throws {
        try await withRegistry { registry, client in
            registry.answer("/v1/catalog/nodes") { request in
                #expect(request.target == "/v1/catalog/nodes")
                return ScriptedReply(200, index: 1, "[]")
            }
            _ = try await client.catalog.nodes(options: QueryOptions(index: 0, wait: .seconds(1)))
        }
    }

    @Test func aKeysNameSurvivesTheTrip() async throws {
        try await withRegistry { registry, client in
            registry.answer("/v1/kv/") { request in
                #expect(
                    request.target
                        == "/v1/kv/a%20b/%C3%BC/%3Fx%23y%25?flags=18446744073709551615&cas=0"
                )
                #expect(request.method == "PUT")
                #expect(request.body == "v")
                return ScriptedReply(200, "true")
            }
            let written = try await client.keyValue.put(
                "a b/ü/?x#y%",
                Array("v".utf8),
                flags: .max,
                if: .absent
            )
            #expect(written)
        }
    }

    @Test func theDefaultTokenAndDatacenterAreSentAndCanBeOverridden() async throws {
        let configure: (inout ClientConfiguration) -> Void = {
            $0.token = "default"
            $0.datacenter = "dc9"
        }
        try await withRegistry(configure) { registry, client in
            registry.answer("/v1/catalog/nodes") { request in
                let body = request.header("X-Consul-Token") ?? ""
                return ScriptedReply(
                    200,
                    #"[{"Node":"\#(body) \#(request.parameter("dc") ?? "")"}]"#
                )
            }
            let plain = try await client.catalog.nodes()
            #expect(plain.value.first?.node == "default dc9")
            let special = try await client.catalog.nodes(
                options: QueryOptions(datacenter: "dc1", token: "other")
            )
            #expect(special.value.first?.node == "other dc1")
        }
    }

    @Test func registrationIsWrittenAsConsulReadsIt() async throws {
        try await withRegistry { registry, client in
            registry.answer("/v1/agent/service/register") { request in
                #expect(request.parameter("replace-existing-checks") == "true")
                #expect(
                    request.body == """
                        {"Check":{"DeregisterCriticalServiceAfter":"60s","TTL":"1500ms"},\
                        "ID":"web-1","Meta":{"zone":"a"},"Name":"web","Port":8080,\
                        "Tags":["v1"],"Weights":{"Passing":10,"Warning":1}}
                        """
                )
                return ScriptedReply()
            }
            try await client.agent.register(
                ServiceRegistration(
                    id: "web-1",
                    name: "web",
                    tags: ["v1"],
                    port: 8080,
                    meta: ["zone": "a"],
                    weights: ServiceWeights(passing: 10, warning: 1),
                    check: .ttl(.milliseconds(1500), deregisterAfter: .seconds(60))
                )
            )
        }
    }

    @Test func aCheckOfItsOwnNamesItsIdAsThatEndpointReadsIt() async throws {
        try await withRegistry { registry, client in
            registry.answer("/v1/agent/check/register") { request in
                #expect(request.body == #"{"ID":"mem","Name":"Memory","TTL":"30s"}"#)
                return ScriptedReply()
            }
            let check = CheckDefinition(id: "mem", name: "Memory", ttl: .seconds(30))
            try await client.agent.register(check: check)
        }
    }

    @Test func aUnixSocketIsAnAddressLikeAnyOther() async throws {
        let path = "/tmp/muster api \(UInt64.random(in: 0...UInt64.max)).sock"
        let registry = ScriptedRegistry()
        try await registry.start(socketPath: path)
        registry.answer("/v1/status/leader") { request in
            #expect(request.headers.filter { $0.name.lowercased() == "host" }.count == 1)
            return ScriptedReply(200, "\"a:1\"")
        }
        let configuration = ClientConfiguration(address: .unixSocket(path: path))
        let leader = try await MusterClient.withClient(configuration) { client in
            try await client.status.leader()
        }
        #expect(leader == "a:1")
        try await registry.stop()
        unlink(path)
    }
}
