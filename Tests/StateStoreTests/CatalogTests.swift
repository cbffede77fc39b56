import Model
import Testing

@testable import StateStore

/// - Source: Consul: PUT /v1/catalog/register and the reads of the catalog, asked of Consul 1.8.7.
@Suite struct CatalogTests {
    @Test func `nodes, services and checks are found in any letter case`() {
        var test = TestStore()
        test.register(
            node: "Foo",
            service: "Web",
            serviceID: "A1",
            checks: [check("C", service: "a1")]
        )
        #expect(test.store.node("foo").value?.name == "Foo")
        #expect(test.store.serviceInstances("wEB").value.map(\.service.id) == ["A1"])
        #expect(test.store.check(node: "FOO", id: "c").value?.id == "C")
        test.register(node: "foo", service: "web", serviceID: "a1")
        #expect(test.store.nodes().value.map(\.name) == ["foo"])
        #expect(test.store.services().value == [ServiceListing(name: "web", tags: [])])
    }

    @Test func `registering the same again changes no index and wakes nobody`() {
        var test = TestStore()
        let body = { (test: inout TestStore) in
            test.register(
                node: "n1",
                service: "web",
                tags: ["a"],
                checks: [check("c", service: "web"), check("n")]
            )
        }
        _ = body(&test)
        let before = test.store
        _ = body(&test)
        #expect(test.changes.isEmpty)
        for query in Query.all {
            #expect(query.run(before) == query.run(test.store), "\(query.name)")
        }
    }

    @Test func `a check gets the name and tags of its service, and critical when it has no status`()
    {
        var test = TestStore()
        let fresh = check("c", CheckStatus(rawValue: ""), service: "w1")
        test.register(node: "n1", service: "web", serviceID: "w1", tags: ["a"], checks: [fresh])
        let stored = test.store.check(node: "n1", id: "c").value?.check
        #expect(stored?.serviceName == "web")
        #expect(stored?.serviceTags == ["a"])
        #expect(stored?.status == .critical)
    }

    @Test func `a registration that names an unknown service or another node changes nothing`() {
        var test = TestStore()
        let before = test.store
        let unknown = test.register(node: "n1", service: "web", checks: [check("c", service: "no")])
        #expect(
            unknown == "failed inserting check: Missing service registration on node \"n1\""
        )
        let elsewhere = test.register(node: "n1", checks: [check("c", node: "n2")])
        #expect(elsewhere == "check node \"n2\" does not match node \"n1\"")
        #expect(test.store.nodes().value.isEmpty)
        #expect(test.changes.isEmpty)
        #expect(test.store.nodes().index == before.nodes().index)
    }

    @Test func `broken service metadata is refused in Consul's words`() {
        var test = TestStore()
        let refusal = { (test: inout TestStore, meta: [String: String]) in
            var command = RegisterCommand()
            command.node.name = "n1"
            var service = CatalogService()
            service.id = "m"
            service.name = "m"
            service.meta = meta
            command.service = service
            return test.refusal(of: .register(command))
        }
        let start = "failed inserting service: Invalid Service Meta for node n1 and serviceID m: "
        let pair = start + "Couldn't load metadata pair ('"
        #expect(refusal(&test, ["": "x"]) == pair + "', 'x'): Key cannot be blank")
        #expect(
            refusal(&test, ["a b": "x"]) == pair + "a b', 'x'): Key contains invalid characters"
        )
        let longKey = String(repeating: "a", count: 129)
        #expect(
            refusal(&test, [longKey: "x"]) == pair
                + "\(longKey)', 'x'): Key is too long (limit: 128 characters)"
        )
        let longValue = String(repeating: "a", count: 513)
        #expect(
            refusal(&test, ["a": longValue]) == pair
                + "a', '\(longValue)'): Value is too long (limit: 512 characters)"
        )
        let many = Dictionary(uniqueKeysWithValues: (0..<65).map { ("k\($0)", "") })
        #expect(
            refusal(&test, many) == start
                + "Node metadata cannot contain more than 64 key/value pairs"
        )
        #expect(test.store.nodes().value.isEmpty)
    }

    @Test func `a node's identifier under a new name renames the node and drops its services`() {
        var test = TestStore()
        let id = "21111111-1111-1111-1111-111111111111"
        test.register(node: "old", id: id, service: "web", checks: [check("c")])
        let created = test.store.node("old").value?.node.indexes.create
        #expect(test.register(node: "new", id: id) == "")
        #expect(test.store.nodes().value.map(\.name) == ["new"])
        #expect(test.store.node("new").value?.node.indexes.create == created)
        #expect(test.store.node(id: id.uppercased()).value?.name == "new")
        #expect(test.store.serviceInstances("web").value.isEmpty)
        #expect(test.store.nodeChecks("new").value.isEmpty)
    }

    @Test func `the name of a living node is reserved, that of a dead one is not`() {
        var test = TestStore()
        let (one, two) = (
            "11111111-1111-1111-1111-111111111111", "21111111-1111-1111-1111-111111111111"
        )
        test.register(node: "n1", id: one, address: "127.0.0.1", checks: [check("serfHealth")])
        let reserved = "Node name N1 is reserved by node \(one) with name n1 (127.0.0.1)"
        #expect(
            test.register(node: "N1", id: two)
                == "failed inserting node: Error while renaming Node ID: \"\(two)\": \(reserved)"
        )
        test.register(node: "n2", id: two)
        #expect(
            test.register(node: "N1", id: two, address: "9.9.9.9")
                == "failed inserting node: Error while renaming Node ID: \"\(two)\" (9.9.9.9): "
                + reserved
        )
        test.register(
            node: "n1",
            id: one,
            address: "127.0.0.1",
            checks: [check("serfHealth", .critical)]
        )
        #expect(test.register(node: "N1", id: two) == "")
    }

    @Test func `removing a service removes its checks, removing a node removes everything on it`() {
        var test = TestStore()
        test.register(
            node: "n1",
            service: "web",
            checks: [check("c", service: "web"), check("n")]
        )
        test.register(node: "n1", service: "api")
        test.deregister(node: "N1", service: "WEB")
        #expect(test.store.nodeChecks("n1").value.map(\.id) == ["n"])
        #expect(test.store.services().value.map(\.name) == ["api"])
        test.createSession("s")
        test.deregister(node: "n1")
        #expect(test.store.nodeDump().value.isEmpty)
        #expect(test.store.services().value.isEmpty)
        #expect(test.store.sessions().value.isEmpty)
    }

    @Test func `instances come by node then id, with the node's checks before their own`() {
        var test = TestStore()
        for node in ["n2", "N1"] {
            test.register(node: node, checks: [check("zz")])
            for id in ["w2", "W1"] {
                test.register(
                    node: node,
                    service: "web",
                    serviceID: id,
                    checks: [check("a-\(id)", service: id)]
                )
            }
        }
        let found = test.store.serviceInstances("web").value
        #expect(
            found.map { "\($0.node.name) \($0.service.id)" } == [
                "N1 W1", "N1 w2", "n2 W1", "n2 w2",
            ]
        )
        #expect(found.first?.checks.map(\.id) == ["zz", "a-W1"])
    }

    @Test func `tags are matched in any letter case and all of them must be there`() {
        var test = TestStore()
        test.register(node: "n1", service: "web", tags: ["V1", "Primary"])
        #expect(test.store.serviceInstances("web", tags: ["v1", "PRIMARY"]).value.count == 1)
        #expect(test.store.serviceInstances("web", tags: ["v1", "v2"]).value.isEmpty)
    }

    @Test func `the worst check decides an instance's status`() {
        var test = TestStore()
        test.register(node: "n1", service: "web", checks: [check("c", .warning, service: "web")])
        #expect(test.store.serviceInstances("web").value.first?.worstStatus == .warning)
        test.register(node: "n1", checks: [check("n", .critical)])
        #expect(test.store.serviceInstances("web").value.first?.worstStatus == .critical)
    }
}
