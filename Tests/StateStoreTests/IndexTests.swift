import Model
import Testing

@testable import StateStore

/// What clients that block rely on: indexes that move for their own data only, and never back.
@Suite struct IndexTests {
    @Test func `no query of an empty store answers with index 0`() {
        for query in Query.all {
            #expect(query.run(StateStore()).index == LogIndex(rawValue: 1), "\(query.name)")
        }
    }

    @Test func `a service's watchers sleep through other services, nodes, keys and sessions`() {
        var test = TestStore()
        test.register(node: "n1", service: "web", checks: [check("c", service: "web")])
        let health = test.store.serviceInstances("web")
        let checks = test.store.serviceChecks("web")
        let node = test.store.nodeServices("n1")
        let expectQuiet = { (test: TestStore) in
            #expect(!test.wakes(health) && !test.wakes(checks) && !test.wakes(node))
            #expect(test.store.serviceInstances("web").index == health.index)
            #expect(test.store.serviceChecks("web").index == checks.index)
            #expect(test.store.nodeServices("n1").index == node.index)
        }
        test.register(node: "n2", service: "api", checks: [check("c", service: "api"), check("n")])
        expectQuiet(test)
        test.register(node: "n2", address: "10.0.0.9")
        expectQuiet(test)
        test.put("a", "1")
        expectQuiet(test)
        test.createSession("s", node: "n2")
        expectQuiet(test)
        test.deregister(node: "n2")
        expectQuiet(test)
    }

    @Test func `what health replies show of a service moves its index`() {
        var test = TestStore()
        test.register(node: "n1", service: "web")
        for change in ["check", "node check", "node", "instance"] {
            let before = test.store.serviceInstances("web")
            switch change {
            case "check": test.register(node: "n1", checks: [check("c", service: "web")])
            case "node check": test.register(node: "n1", checks: [check("n")])
            case "node": test.register(node: "n1", address: "10.0.0.7")
            default: test.register(node: "n1", address: "10.0.0.7", service: "web", tags: ["x"])
            }
            #expect(test.wakes(before), "\(change)")
            #expect(test.store.serviceInstances("web").index.rawValue == test.index, "\(change)")
        }
    }

    @Test func `the index of a service survives its extinction`() {
        var test = TestStore()
        test.register(node: "n1", service: "web")
        let alive = test.store.serviceInstances("web")
        test.deregister(node: "n1", service: "web")
        let gone = test.store.serviceInstances("web")
        #expect(test.wakes(alive))
        #expect(gone.index > alive.index)
        test.register(node: "n1", service: "api")
        #expect(test.store.serviceInstances("web").index == gone.index)
    }

    @Test func `the list of services moves only when a name or tag comes or goes`() {
        var test = TestStore()
        test.register(node: "n1", service: "web", tags: ["b", "a"])
        let list = test.store.services()
        #expect(list.value == [ServiceListing(name: "web", tags: ["a", "b"])])
        test.register(node: "n2", service: "web", tags: ["a"])
        #expect(!test.wakes(list) && test.store.services().index == list.index)
        test.register(node: "n2", service: "web", tags: ["c"])
        #expect(test.wakes(list))
        #expect(test.store.services().value.first?.tags == ["a", "b", "c"])
    }

    @Test func `the list of services can be narrowed to nodes with metadata`() {
        var test = TestStore()
        test.register(node: "n1", service: "web", tags: ["a"])
        var command = RegisterCommand()
        command.node.name = "n2"
        command.node.meta = ["rack": "1"]
        var service = CatalogService()
        service.id = "api"
        service.name = "api"
        service.tags = ["y", "x"]
        command.service = service
        test.apply(.register(command))
        let found = test.store.services(nodeMeta: ["rack": "1"]).value
        #expect(found == [ServiceListing(name: "api", tags: ["x", "y"])])
    }

    @Test func `a status query wakes for checks that enter or leave the status`() {
        var test = TestStore()
        test.register(node: "n1", checks: [check("c", .passing)])
        let critical = test.store.checksInState(.critical)
        let passing = test.store.checksInState(.passing)
        let warning = test.store.checksInState(.warning)
        test.register(node: "n1", checks: [check("c", .critical)])
        #expect(test.wakes(critical) && test.wakes(passing) && !test.wakes(warning))
        #expect(test.store.checksInState(.critical).value.map(\.id) == ["c"])
        #expect(test.store.checksInState(nil).value.count == 1)
    }

    @Test
    func `a prefix keeps the index of its deletions until they are reaped, and then moves on`() {
        var test = TestStore()
        test.put("a/1")
        test.put("a/2")
        test.put("a/2", "", .delete)
        let deleted = test.store.keyValues(prefix: "a/").index
        #expect(deleted.rawValue == test.index)
        #expect(test.changes.leftTombstones)
        test.put("other")
        #expect(test.store.keyValues(prefix: "a/").index == deleted)
        test.apply(.reapTombstones(upTo: deleted))
        #expect(test.store.keyValues(prefix: "a/").index == deleted)
        #expect(test.store.keys(prefix: "a/").index == deleted)
    }

    @Test func `keys that Unicode calls equal are different keys with watchers of their own`() {
        var test = TestStore()
        test.put("caf\u{E9}/x", "1")
        let composed = test.store.keyValues(prefix: "caf\u{E9}/")
        let decomposed = test.store.keyValues(prefix: "cafe\u{301}/")
        test.put("cafe\u{301}/x", "2")
        #expect(test.wakes(decomposed) && !test.wakes(composed))
        #expect(test.store.keyValues(prefix: "caf").value.count == 2)
        #expect(test.entry("caf\u{E9}/x")?.value == [UInt8(ascii: "1")])
    }

    @Test func `a snapshot stays as it was while the store goes on`() {
        var generator = CommandGenerator(seed: 4711)
        var test = TestStore()
        var snapshots: [(StateStore, [Query.Result])] = []
        for step in 0..<300 {
            test.apply(generator.next(at: test.index + 1))
            if step % 25 == 0 {
                snapshots.append((test.store, Query.all.map { $0.run(test.store) }))
            }
        }
        for (snapshot, answers) in snapshots {
            #expect(Query.all.map { $0.run(snapshot) } == answers)
        }
    }

    @Test func `snapshots are read on other threads while the store changes`() async {
        var generator = CommandGenerator(seed: 815)
        var test = TestStore()
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<40 {
                for _ in 0..<10 { test.apply(generator.next(at: test.index + 1)) }
                let snapshot = test.store
                let expected = Query.all.map { $0.run(snapshot) }
                group.addTask { Query.all.map { $0.run(snapshot) } == expected }
            }
            for await isSame in group { #expect(isSame) }
        }
    }

    @Test func `the same commands give the same answers in every store`() {
        var generator = CommandGenerator(seed: 99)
        var (one, two) = (TestStore(), TestStore())
        for _ in 0..<300 {
            let command = generator.next(at: one.index + 1)
            #expect(one.apply(command) == two.apply(command))
        }
        for query in Query.all {
            #expect(query.run(one.store) == query.run(two.store))
        }
    }
}
