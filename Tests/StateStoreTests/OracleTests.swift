import Model
import Testing

@testable import StateStore

/// The store and the plain registry, given the same commands, say the same.
@Suite struct OracleTests {
    @Test(arguments: (1...20).map { UInt64($0) })
    func `agrees with the plain registry on every result and every record`(seed: UInt64) {
        var generator = CommandGenerator(seed: seed &* 7919)
        var store = StateStore()
        var naive = NaiveRegistry()
        var index: UInt64 = 10
        for step in 0..<400 {
            index += 1
            let command = generator.next(at: index)
            let now = index * 1_000_000_000
            var changes = ChangeSet()
            let result = store.apply(
                command,
                at: LogIndex(rawValue: index),
                stamped: Timestamp(nanosecondsSinceEpoch: now),
                into: &changes
            )
            if case .autopilot = command { continue }
            let expected = naive.apply(command, at: index, now: now)
            guard Self.agree(result, expected) else {
                Issue.record("step \(step), \(command): \(result) instead of \(expected)")
                return
            }
            if let difference = Self.difference(store, naive) {
                Issue.record("step \(step), \(command): \(difference)")
                return
            }
        }
    }

    private static func agree(_ left: CommandResult, _ right: CommandResult) -> Bool {
        guard case .transaction(let one) = left, case .transaction(let two) = right else {
            return left == right
        }
        return one.errors == two.errors && one.results.map(plain) == two.results.map(plain)
    }

    /// Weights that came as nil are 1 and 1 once stored.
    private static func plain(_ item: TransactionItem) -> TransactionItem {
        guard case .service(var service) = item else { return item }
        service.weights = service.weights ?? Weights()
        return .service(service)
    }

    private static func difference(_ store: StateStore, _ naive: NaiveRegistry) -> String? {
        let byName = { (left: String, right: String) in Bytes.order(left, right) < 0 }
        let nodes = naive.nodes.sorted { byName($0.name.folded, $1.name.folded) }
        if store.nodes().value.map(\.node) != nodes { return "nodes differ" }
        let keys = naive.keys.sorted { byName($0.key, $1.key) }
        if store.keyValues(prefix: "").value.map(\.entry) != keys { return "keys differ" }
        let sessions = naive.sessions.sorted { byName($0.id, $1.id) }
        if store.sessions().value.map(\.session) != sessions { return "sessions differ" }
        for details in store.nodeDump().value {
            let node = details.node.foldedName
            let services = naive.services.filter { $0.node.folded == node }.map(\.service)
                .sorted { byName($0.id.folded, $1.id.folded) }
            if details.services.map(\.service) != services { return "services of \(node) differ" }
            let checks = naive.checks.filter { $0.node.folded == node }
                .sorted { byName($0.id.folded, $1.id.folded) }
            if details.checks.map(\.check) != checks { return "checks of \(node) differ" }
        }
        for status in [CheckStatus.passing, .warning, .critical] {
            let found = store.checksInState(status).value.map(\.check)
            let expected = naive.checks.filter { $0.status == status }.sorted {
                let byNode = Bytes.order($0.node.folded, $1.node.folded)
                return byNode == 0 ? byName($0.id.folded, $1.id.folded) : byNode < 0
            }
            if found != expected { return "\(status.rawValue) checks differ" }
        }
        for name in ["web", "api", "db"] {
            if let difference = difference(of: name, store, naive) { return difference }
        }
        return nil
    }

    private static func difference(
        of name: String,
        _ store: StateStore,
        _ naive: NaiveRegistry
    ) -> String? {
        let found = store.serviceInstances(name).value.map { instance in
            "\(instance.node.foldedName) \(instance.service.id) "
                + instance.checks.map(\.id).joined(separator: ",")
        }
        let expected = naive.services.filter { $0.service.name.folded == name }
            .sorted {
                let byNode = Bytes.order($0.node.folded, $1.node.folded)
                let byID = Bytes.order($0.service.id.folded, $1.service.id.folded)
                return byNode == 0 ? byID < 0 : byNode < 0
            }
            .map { instance in
                let own = naive.checks.filter { $0.node.folded == instance.node.folded }
                    .sorted { Bytes.order($0.id.folded, $1.id.folded) < 0 }
                let ids =
                    own.filter(\.serviceID.isEmpty).map(\.id)
                    + own.filter { $0.serviceID.folded == instance.service.id.folded }.map(\.id)
                return "\(instance.node.folded) \(instance.service.id) "
                    + ids.joined(separator: ",")
            }
        return found == expected ? nil : "instances of \(name): \(found) instead of \(expected)"
    }
}
