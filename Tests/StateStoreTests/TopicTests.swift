import Model
import Testing

@testable import StateStore

/// Blocking queries lose nothing: whatever changes an answer wakes its watchers, with a greater
/// index.
@Suite struct TopicTests {
    /// What went wrong between two states, for one query.
    private static func problem(
        _ query: Query,
        _ before: StateStore,
        _ after: StateStore,
        wakes: (Topic) -> Bool
    ) -> String? {
        let old = query.run(before)
        let new = query.run(after)
        guard new.index >= old.index else {
            return "\(query.name): the index went back from \(old.index) to \(new.index)"
        }
        guard old.text != new.text else { return nil }
        guard new.index > old.index else {
            return "\(query.name): another answer at the same index \(new.index)"
        }
        guard new.index <= after.lastApplied else { return "\(query.name): index of the future" }
        guard old.topics.contains(where: wakes) else {
            return "\(query.name): changed and nobody was woken"
        }
        return nil
    }

    /// Runs random commands; the first problem, with the seed's step.
    private static func run(
        seed: UInt64,
        steps: Int,
        wakes: (ChangeSet, Topic) -> Bool = { $0.wakes($1) }
    ) -> String? {
        var generator = CommandGenerator(seed: seed)
        var store = StateStore()
        // Raft's own first entries come before.
        var index: UInt64 = 10
        for step in 0..<steps {
            index += UInt64.random(in: 1...3, using: &generator.random)
            let command = generator.next(at: index)
            let before = store
            var changes = ChangeSet()
            _ = store.apply(
                command,
                at: LogIndex(rawValue: index),
                stamped: Timestamp(nanosecondsSinceEpoch: index * 1_000_000_000),
                into: &changes
            )
            for query in Query.all {
                let problem = problem(query, before, store) { wakes(changes, $0) }
                if let problem { return "step \(step), \(command): \(problem)" }
            }
        }
        return nil
    }

    @Test(arguments: (1...12).map { UInt64($0) })
    func `every change of an answer wakes its watchers with a greater index`(seed: UInt64) {
        #expect(Self.run(seed: seed, steps: 250) == nil)
    }

    @Test(arguments: [
        "key", "keyPrefix", "node", "node of", "nodeServices", "nodeServices of", "serviceNames",
        "service of", "connect of", "nodeChecks", "nodeChecks of", "checkState of",
        "serviceChecks of", "session", "session of", "nodeSessions of", "coordinate",
        "coordinate of", "autopilot",
    ])
    func `the checker notices when a topic is never touched`(kind: String) {
        let isMissed = (100...130).contains { seed in
            let problem = Self.run(seed: UInt64(seed), steps: 120) { changes, topic in
                topic.kindName != kind && changes.wakes(topic)
            }
            return problem != nil
        }
        #expect(isMissed)
    }
}

extension Topic {
    /// The kind, and whether the topic is one of a kind.
    fileprivate var kindName: String {
        switch self {
        case .key: "key"
        case .keyPrefix: "keyPrefix"
        case .all(let kind): "\(kind)"
        case .one(let kind, _): "\(kind) of"
        }
    }
}
