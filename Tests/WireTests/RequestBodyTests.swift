import Model
import Testing
import Wire

@Suite("Request bodies")
struct RequestBodyTests {
    private func decode<Record: WireValue>(_ type: Record.Type, _ body: String) throws -> Record {
        try JSON.decode(type, from: Array(body.utf8), refusesUnknownKeys: true)
    }

    private func accepts<Record: WireValue>(_ type: Record.Type, _ body: String) -> Bool {
        (try? decode(type, body)) != nil  // Which error it is does not matter here.
    }

    @Test("A service registration takes durations as text and numbers, and snake-case names")
    func serviceRegistration() throws {
        let body = #"""
            {"name":"web","enable_tag_override":true,
             "tagged_addresses":{"lan":{"address":"a","port":1}},
             "check":{"CheckID":"c","args":["x"],"interval":"10s","timeout":1500000000,
              "deregister_critical_service_after":"90m","tls_skip_verify":true,
              "ServiceID":"ignored",
              "header":{"a":["b"]}},
             "checks":[{"ttl":"3s"},{"script_args":["y"],"docker_container_id":"d"}],
             "connect":{"sidecar_service":{"port":21000,"proxy":{"local_service_port":80,
              "upstreams":[{"destination_name":"db","local_bind_port":9}]}}}}
            """#
        let service = try decode(ServiceRegistration.self, body)
        #expect(service.name == "web")
        #expect(service.enableTagOverride)
        #expect(service.taggedAddresses?["lan"]?.port == 1)
        #expect(service.check?.id == "c")
        #expect(service.check?.scriptArguments == ["x"])
        #expect(service.check?.interval == .seconds(10))
        #expect(service.check?.timeout == .milliseconds(1_500))
        #expect(service.check?.deregisterCriticalServiceAfter == .seconds(5_400))
        #expect(service.check?.serviceID == "")
        #expect(service.checks.map(\.ttl) == [.seconds(3), .zero])
        #expect(service.checks.last?.dockerContainerID == "d")
        let sidecar = service.connect?.sidecarService?.value
        #expect(sidecar?.port == 21_000)
        #expect(sidecar?.proxy?.localServicePort == 80)
        #expect(sidecar?.proxy?.upstreams?.first?.destinationName == "db")
    }

    @Test("Both forms of a check refuse the names that only the other has")
    func checkForms() throws {
        for name in ["ID", "service_id", "Token", "args", "OutputMaxSize", "AliasNode"] {
            #expect(accepts(CheckDefinitionBody.self, #"{"\#(name)":null}"#), "\(name)")
        }
        for name in ["CheckID", "ProxyHTTP", "grpc_use_tls", "alias_node", "Namespace", "Script"] {
            #expect(!accepts(CheckDefinitionBody.self, #"{"\#(name)":null}"#), "\(name)")
        }
        for name in ["CheckID", "ProxyHTTP", "ServiceID", "service_id", "script_args"] {
            #expect(accepts(ServiceRegistration.self, #"{"Check":{"\#(name)":null}}"#), "\(name)")
        }
        for name in ["ID", "Token", "proxy_http", "check_id", "output_max_size"] {
            #expect(!accepts(ServiceRegistration.self, #"{"Check":{"\#(name)":null}}"#), "\(name)")
        }
        let check = try decode(CheckDefinitionBody.self, #"{"ID":"x","service_id":"s","TTL":"1s"}"#)
        #expect(check.registration.id == "x")
        #expect(check.registration.serviceID == "s")
    }

    @Test("Registrations survive being written and read, as files keep them")
    func persistence() throws {
        var check = CheckRegistration()
        (check.id, check.name, check.ttl) = ("c", "n", .seconds(15))
        check.header = ["a": ["b"]]
        var service = ServiceRegistration()
        (service.id, service.name, service.checks) = ("i", "n", [check])
        service.weights = Weights(passing: 2, warning: 1)
        let back = try JSON.decode(
            ServiceRegistration.self,
            from: JSON.encode(service),
            refusesUnknownKeys: true
        )
        #expect(back == service)
        check.serviceID = "i"
        let body = CheckDefinitionBody(check)
        #expect(
            try JSON.decode(
                CheckDefinitionBody.self,
                from: JSON.encode(body),
                refusesUnknownKeys: true
            ) == body
        )
    }

    @Test("A session keeps its defaults, and a small bare lock-delay means seconds")
    func sessions() throws {
        let plain = try decode(SessionBody.self, "{}")
        #expect(plain.lockDelay == .seconds(15))
        #expect(plain.behavior == "release")
        #expect(plain.effectiveNodeChecks == ["serfHealth"])
        #expect(try decode(SessionBody.self, #"{"LockDelay":5}"#).lockDelay == .seconds(5))
        #expect(try decode(SessionBody.self, #"{"lockdelay":"2s"}"#).lockDelay == .seconds(2))
        #expect(
            try decode(SessionBody.self, #"{"LockDelay":5000000000}"#).lockDelay == .seconds(5)
        )
        let lists = [
            (#"{"Checks":[]}"#, []), (#"{"NodeChecks":[]}"#, []), (#"{"Checks":["a"]}"#, ["a"]),
            (#"{"NodeChecks":["a"]}"#, ["a"]),
            (#"{"NodeChecks":["serfHealth"],"Checks":null}"#, []),
        ]
        for (body, checks) in lists {
            #expect(try decode(SessionBody.self, body).effectiveNodeChecks == checks, "\(body)")
        }
    }

    @Test("A registration's single check comes after the others; the node gets the datacenter")
    func register() throws {
        let body = #"""
            {"Datacenter":"dc1","Node":"n","Address":"a","Check":{"CheckID":"last"},
             "Checks":[{"CheckID":"first"}],"Service":{"Service":"s","Weights":{"Passing":2}}}
            """#
        let command = try decode(RegisterRequest.self, body).command
        #expect(command.checks.map(\.id) == ["first", "last"])
        #expect(command.node.datacenter == "dc1")
        #expect(command.service?.weights == Weights(passing: 2, warning: 0))
        #expect(accepts(DeregisterRequest.self, #"{"Node":"n","Address":"a"}"#))
    }

    @Test("The steps of a transaction mean operations, or name the verb that is unknown")
    func transactions() throws {
        let body = #"""
            [{"KV":{"Verb":"cas","Key":"k","Value":"aGk=","Index":7,"Flags":3,"Session":"s"}},
             {"Node":{"Verb":"get","Node":{"Node":"n"}}},
             {"Service":{"Verb":"set","Node":"n","Service":{"Service":"s","Kind":"connect-proxy"}}},
             {"Check":{"Verb":"delete","Check":{"CheckID":"c","Definition":{"IntervalDuration":"4s",
              "Timeout":"1s","DeregisterCriticalServiceAfterDuration":5,"Bogus":1}}}},
             {"KV":{"Verb":"bogus"}},{}]
            """#
        let steps = try decode(TransactionBody.self, body).steps
        #expect(steps.map(\.isWrite) == [true, false, true, true, false, false])
        guard case .operation(.keyValue(.cas, let entry)) = steps[0].meaning,
            case .operation(.node(.get, let node)) = steps[1].meaning,
            case .operation(.service(.set, "n", let service)) = steps[2].meaning,
            case .operation(.check(.delete, let check)) = steps[3].meaning
        else {
            Issue.record("not the operations that were asked for")
            return
        }
        #expect(entry.value == Array("hi".utf8))
        #expect(entry.indexes.modify == LogIndex(rawValue: 7))
        #expect(node.name == "n")
        #expect(service.kind == .typical)
        #expect(check.definition.interval == .seconds(4))
        #expect(check.definition.timeout == .seconds(1))
        #expect(check.definition.deregisterCriticalServiceAfter.rawValue == 5)
        #expect(steps[4].meaning == .unknownVerb(#"unknown KV verb "bogus""#))
        #expect(steps[5].meaning == .nothing)
    }
}
