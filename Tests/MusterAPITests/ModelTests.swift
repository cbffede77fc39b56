import MusterAPI
import MusterTesting
import Testing

@Suite(.timeLimit(.minutes(3))) struct ModelTests {
    @Test func aHealthEntryIsReadAsConsulWritesIt() async throws {
        let body = """
            [{"Node":{"ID":"1","Node":"n1","Address":"10.0.0.1","Datacenter":"dc1",
            "TaggedAddresses":{"lan":"10.0.0.1"},"Meta":null,"CreateIndex":1,"ModifyIndex":2},
            "Service":{"ID":"web-1","Service":"web","Tags":null,"Address":"","Meta":{"zone":"a"},
            "Port":80,"Weights":{"Passing":3,"Warning":1},"EnableTagOverride":false,
            "Proxy":{"MeshGateway":{},"Expose":{}},"Connect":{},"CreateIndex":3,
            "ModifyIndex":18446744073709551615},
            "Checks":[{"Node":"n1","CheckID":"c","Name":"C","Status":"warning","Notes":"",
            "Output":"o","ServiceID":"web-1","ServiceName":"web","ServiceTags":[],"Type":"ttl",
            "Definition":{},"CreateIndex":4,"ModifyIndex":5}],"Unknown":[1,{"a":null}]}]
            """
        try await withRegistry { registry, client in
            registry.answer("/v1/health/service/web") { _ in ScriptedReply(200, index: 9, body) }
            let entry = try #require(try await client.health.service("web").value.first)
            #expect(entry.node.address == "10.0.0.1")
            #expect(entry.service.tags.isEmpty)
            #expect(entry.service.meta == ["zone": "a"])
            #expect(entry.service.weights == ServiceWeights(passing: 3, warning: 1))
            #expect(entry.service.modifyIndex == .max)
            #expect(entry.checks.first?.status == .warning)
            #expect(entry.aggregatedStatus == .warning)
        }
    }

    @Test func maintenanceOutranksEveryOtherState() {
        func entry(_ checks: [(String, CheckStatus)]) -> CheckStatus {
            ServiceEntry(checks: checks.map { HealthCheck(checkID: $0, status: $1) })
                .aggregatedStatus
        }
        #expect(entry([]) == .passing)
        #expect(entry([("a", .warning), ("b", .passing)]) == .warning)
        #expect(entry([("a", .critical), ("b", .warning)]) == .critical)
        #expect(entry([("a", .critical), ("_node_maintenance", .critical)]) == .maintenance)
        #expect(entry([("_service_maintenance:web", .critical)]) == .maintenance)
        #expect(entry([("a", CheckStatus(rawValue: "odd"))]) == .critical)
    }

    @Test func keyValuesCarryAnyBytes() async throws {
        try await withRegistry { registry, client in
            registry.answer("/v1/kv/k") { _ in
                ScriptedReply(
                    200,
                    #"[{"Key":"k","Value":"AP8=","Flags":7,"LockIndex":2,"Session":"s"}]"#
                )
            }
            let pair = try #require(try await client.keyValue.get("k").value)
            #expect(pair.value == [0, 255])
            #expect(pair.flags == 7)
            #expect(pair.session == "s")
            registry.answer("/v1/kv/k") { _ in ScriptedReply(200, #"[{"Key":"k","Value":null}]"#) }
            let empty = try await client.keyValue.get("k").value
            #expect(empty?.value == [])
        }
    }

    @Test func aRolledBackTransactionIsAnOutcome() async throws {
        try await withRegistry { registry, client in
            registry.answer("/v1/txn") { request in
                #expect(
                    request.body == #"[{"KV":{"Index":3,"Key":"a","Value":"aGk=","Verb":"cas"}}]"#
                )
                return ScriptedReply(
                    409,
                    #"{"Results":null,"Errors":[{"OpIndex":0,"What":"stale"}]}"#
                )
            }
            let step = KeyValueOperation(verb: "cas", key: "a", value: Array("hi".utf8), index: 3)
            let outcome = try await client.transaction([TransactionOperation(keyValue: step)])
            #expect(!outcome.committed)
            #expect(outcome.failures == [TransactionFailure(operation: 0, message: "stale")])
        }
    }

    @Test func durationsAreReadAsTextAndAsNanoseconds() async throws {
        try await withRegistry { registry, client in
            registry.answer("/v1/session/info/") { request in
                ScriptedReply(
                    200,
                    request.target.hasSuffix("bad")
                        ? #"[{"ID":"s","TTL":"soon"}]"#
                        : #"[{"ID":"s","LockDelay":15000000000,"TTL":"1h2m3.5s"}]"#
                )
            }
            let session = try #require(try await client.session.info("s").value)
            #expect(session.lockDelay == .seconds(15))
            #expect(session.ttl == .milliseconds(3_723_500))
            await #expect(throws: MusterError.self) { _ = try await client.session.info("bad") }
        }
    }

    @Test func statusCodesOfAgentHealthAreAnswers() async throws {
        try await withRegistry { registry, client in
            for (code, status) in [
                (200, CheckStatus.passing), (429, .warning), (503, .critical),
            ] {
                registry.answer("/v1/agent/health/service/id/web") { _ in
                    ScriptedReply(code, #"{"AggregatedStatus":"\#(status)"}"#)
                }
                let health = try await client.agent.health(serviceID: "web")
                #expect(health?.aggregatedStatus == status)
            }
            registry.answer("/v1/agent/health/service/id/web") { _ in ScriptedReply(404, "gone") }
            let health = try await client.agent.health(serviceID: "web")
            #expect(health == nil)
        }
    }

    @Test func randomBytesNeverTrapTheDecoder() async throws {
        var state: UInt64 = 1
        func random(_ bound: UInt64) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % bound)
        }
        let alphabet = Array(#"{}[]",:0123456789nulltruefalse\e-+.ServiceNodeChecks "#)
        try await withRegistry { registry, client in
            for _ in 0..<200 {
                let text = String((0..<random(60)).map { _ in alphabet[random(50)] })
                registry.answer("/v1/health/") { _ in ScriptedReply(200, text) }
                _ = try? await client.health.service("web")  // Only a trap would fail this.
            }
        }
    }
}
