import Model
import Testing

@testable import StateStore

/// - Source: Consul: PUT /v1/txn; the texts are what Consul 1.8.7 answered to the same steps.
@Suite struct TransactionTests {
    private static func node(_ name: String, id: String = "", at index: UInt64 = 0) -> Node {
        var node = Node()
        node.name = name
        node.id = id
        node.address = "1.2.3.4"
        node.indexes.modify = LogIndex(rawValue: index)
        return node
    }

    private static func service(_ id: String, at index: UInt64 = 0) -> CatalogService {
        var service = CatalogService()
        service.id = id
        service.name = "s"
        service.indexes.modify = LogIndex(rawValue: index)
        return service
    }

    private static func check(
        _ id: String,
        node: String = "tx",
        at index: UInt64 = 0
    ) -> HealthCheck {
        var check = HealthCheck()
        check.id = id
        check.node = node
        check.indexes.modify = LogIndex(rawValue: index)
        return check
    }

    private static func transact(
        _ test: inout TestStore,
        _ operations: [TransactionOperation]
    ) -> TransactionResult {
        guard case .transaction(let result) = test.apply(.transaction(operations)) else {
            return TransactionResult()
        }
        return result
    }

    @Test func `the cas of a check that cannot be written succeeds and changes nothing`() {
        var test = TestStore()
        let cas = Self.transact(&test, [.check(.cas, Self.check("c", node: "none"))])
        #expect(cas.errors.isEmpty)
        #expect(cas.results.isEmpty)
        let set = Self.transact(&test, [.check(.set, Self.check("c", node: "none"))])
        #expect(set.errors.map(\.message) == ["Missing node registration"])
    }

    @Test func `steps see one another and reads show values while writes do not`() {
        var test = TestStore()
        let result = Self.transact(
            &test,
            [
                .keyValue(.set, keyEntry("t1", "test")),
                .keyValue(.get, keyEntry("t1")),
                .keyValue(.getTree, keyEntry("t")),
                .keyValue(.delete, keyEntry("t1")),
                .keyValue(.checkNotExists, keyEntry("t1")),
                .node(.set, Self.node("tx")),
                .node(.get, Self.node("tx")),
                .service(.set, node: "tx", Self.service("s1")),
                .check(.set, Self.check("cc")),
                .check(.get, Self.check("cc")),
            ]
        )
        #expect(result.errors.isEmpty)
        let shown = result.results.map { item in
            switch item {
            case .keyValue(let entry): "key \(entry.key)=\(text(entry.value))"
            case .node(let node): "node \(node.name)"
            case .service(let service): "service \(service.id) tags \(service.tags?.count ?? -1)"
            case .check(let check): "check \(check.id) \(check.status.rawValue)"
            }
        }
        #expect(
            shown == [
                "key t1=", "key t1=test", "key t1=test", "node tx", "node tx",
                "service s1 tags -1", "check cc critical", "check cc critical",
            ]
        )
        #expect(test.entry("t1") == nil)
        #expect(test.store.nodeChecks("tx").value.map(\.id) == ["cc"])
    }

    @Test func `if one step fails nothing has happened, and nobody is woken`() {
        var test = TestStore()
        test.put("a", "1")
        let before = test.store
        let result = Self.transact(
            &test,
            [
                .keyValue(.set, keyEntry("a", "2")), .node(.set, Self.node("tx")),
                .keyValue(.checkIndex, keyEntry("a", at: 1)),
            ]
        )
        #expect(
            result.errors == [
                TransactionError(
                    operationIndex: 2,
                    message: "failed index check for key \"a\", current modify index 12 != 1"
                )
            ]
        )
        #expect(result.results.isEmpty)
        #expect(test.changes.isEmpty)
        for query in Query.all {
            #expect(query.run(before) == query.run(test.store), "\(query.name)")
        }
    }

    /// Each failing step with Consul's words for it.
    private static let failures: [(TransactionOperation, String)] = [
        (.keyValue(.get, keyEntry("no\"pe")), "key \"no\\\"pe\" doesn't exist"),
        (.keyValue(.cas, keyEntry("a", at: 1)), "failed to set key \"a\", index is stale"),
        (.keyValue(.deleteCAS, keyEntry("a", at: 1)), "failed to delete key \"a\", index is stale"),
        (
            .keyValue(.lock, keyEntry("b", session: "1-1")),
            "failed session lookup: index error: UUID must be 36 characters"
        ),
        (
            .keyValue(.unlock, keyEntry("a", session: "x")),
            "failed to unlock key \"a\", lock isn't held, or is held by another session"
        ),
        (
            .keyValue(.checkSession, keyEntry("a", session: "zz")),
            "failed session check for key \"a\", current session \"\" != \"zz\""
        ),
        (
            .keyValue(.checkSession, keyEntry("nokey")),
            "failed to check session, key \"nokey\" doesn't exist"
        ),
        (
            .keyValue(.checkIndex, keyEntry("nokey")),
            "failed to check index, key \"nokey\" doesn't exist"
        ),
        (.keyValue(.checkNotExists, keyEntry("a")), "key \"a\" exists"),
        (.keyValue(.lock, keyEntry("b")), "missing session"),
        (.keyValue(.unlock, keyEntry("a")), "missing session"),
        (
            .keyValue(.lock, keyEntry("held", session: "s2")),
            "failed to lock key \"held\", lock is already held"
        ),
        (
            .keyValue(.lock, keyEntry("delayed", session: "s2")),
            "failed to lock key \"delayed\" due to lock delay"
        ),
        (.node(.get, node("nx")), "node \"nx\" doesn't exist"),
        (.node(.cas, node("tx", at: 1)), "failed to set node \"tx\", index is stale"),
        (.node(.deleteCAS, node("tx", at: 1)), "failed to delete node \"tx\", index is stale"),
        (.node(.deleteCAS, node("foox", at: 1)), "failed to delete node \"foox\", index is stale"),
        (.service(.set, node: "txx", service("s1")), "Missing node registration"),
        (
            .service(.get, node: "txx", service("s1")),
            "service \"s1\" on node \"txx\" doesn't exist"
        ),
        (
            .service(.cas, node: "tx", service("s1", at: 1)),
            "failed to set service \"s1\" on node \"tx\", index is stale"
        ),
        (
            .service(.deleteCAS, node: "tx", service("s1x", at: 1)),
            "failed to delete service \"s1x\" on node \"tx\", index is stale"
        ),
        (.check(.get, check("ccx")), "check \"ccx\" on node \"tx\" doesn't exist"),
        (
            .check(.cas, check("cc", at: 1)),
            "failed to set check \"cc\" on node \"tx\", index is stale"
        ),
        (
            .check(.deleteCAS, check("ccx", at: 1)),
            "failed to delete check \"ccx\" on node \"tx\", index is stale"
        ),
        (.check(.set, check("cc", node: "txq")), "Missing node registration"),
    ]

    @Test func `every failing step is reported in Consul's words`() {
        var test = TestStore()
        test.put("a", "1")
        test.register(
            node: "tx",
            service: "s",
            serviceID: "s1",
            checks: [StateStoreTests.check("cc")]
        )
        test.createSession("s1", node: "tx", lockDelay: .seconds(60))
        test.createSession("s2", node: "tx")
        test.createSession("s3", node: "tx")
        test.put("held", "", .lock, session: "s3")
        test.put("delayed", "", .lock, session: "s1")
        test.destroySession("s1")
        let result = Self.transact(&test, Self.failures.map(\.0))
        #expect(result.errors.map(\.message) == Self.failures.map(\.1))
        #expect(result.errors.map(\.operationIndex) == Array(Self.failures.indices))
    }

    @Test func `a reading transaction leaves the store alone`() {
        var test = TestStore()
        test.put("a", "1")
        let answer = test.store.readTransaction([
            .keyValue(.get, keyEntry("a")), .keyValue(.getTree, keyEntry("")),
        ])
        #expect(answer.value.results.count == 2)
        #expect(answer.index.rawValue == test.index)
        #expect(answer.topics.isEmpty)
    }

    @Test func `a conditional delete of a key that is gone succeeds`() {
        var test = TestStore()
        let result = Self.transact(&test, [.keyValue(.deleteCAS, keyEntry("gone", at: 1))])
        #expect(result.errors.isEmpty && result.results.isEmpty)
    }
}

@Suite struct CoordinateTests {
    private static func coordinate(_ node: String, _ value: Double) -> NodeCoordinate {
        var coordinate = NodeCoordinate()
        coordinate.node = node
        coordinate.coordinate.vector = [value]
        return coordinate
    }

    @Test func `coordinates of unknown nodes and broken ones are dropped`() {
        var test = TestStore()
        test.register(node: "n1")
        test.apply(
            .updateCoordinates([
                Self.coordinate("N1", 1), Self.coordinate("nope", 1), Self.coordinate("n1", .nan),
            ])
        )
        #expect(
            test.store.coordinates(node: "n1").value.map(\.coordinate.coordinate.vector) == [[1]]
        )
        #expect(test.store.coordinates().value.count == 1)
        test.deregister(node: "n1")
        #expect(test.store.coordinates().value.isEmpty)
    }

    @Test func `the autopilot configuration is replaced only at the index that was read`() {
        var test = TestStore()
        let write = { (test: inout TestStore, cas: LogIndex?) in
            test.apply(
                .autopilot(AutopilotCommand(configuration: AutopilotConfiguration(), casIndex: cas))
            )
        }
        #expect(test.store.autopilotConfiguration().value == nil)
        #expect(write(&test, LogIndex(rawValue: 3)) == .condition(false))
        #expect(write(&test, nil) == .done)
        let stored = test.store.autopilotConfiguration()
        #expect(stored.index.rawValue == test.index)
        #expect(write(&test, LogIndex(rawValue: 3)) == .condition(false))
        #expect(write(&test, stored.index) == .condition(true))
        #expect(test.store.autopilotConfiguration().value?.indexes.create == stored.index)
    }
}
