import DurableLog
import Model
import Raft
import StorageSimulation
import Testing
import WriteAheadLog

/// What the core believes is in its log, in the plainest form.
private struct Model: Hashable {
    var hardState = HardState(term: Term(rawValue: 1))
    var base = LogPosition.zero
    var entries = [
        Entry(index: index(1), term: Term(rawValue: 1), body: .configuration(threeMembers))
    ]
    /// Everything up to here may not be taken back.
    var commit = LogIndex.zero
    /// The newest snapshot; on disk before anything refers to it.
    var snapshot: LogPosition?

    var last: LogPosition { entries.last?.position ?? base }

    func term(at place: LogIndex) -> Term {
        entries.first { $0.index == place }?.term ?? base.term
    }

    mutating func randomWrite(using random: inout SeededRandom) -> LogWrite {
        switch random.below(12) {
        case 0:
            hardState = HardState(
                term: hardState.term.next,
                votedFor: random.chance(1, in: 2) ? server : nil
            )
            return .hardState(hardState)
        case 1:
            let low = max(commit, base.index).rawValue
            let after = index(.random(in: low...last.index.rawValue, using: &random))
            entries.removeAll { $0.index > after }
            return .truncate(after: after)
        case 2:
            guard commit > base.index else { fallthrough }
            let through = index(
                .random(in: base.index.rawValue...commit.rawValue, using: &random)
            )
            snapshot = max(snapshot ?? base, through)
            base = LogPosition(index: through, term: term(at: through))
            entries.removeAll { $0.index <= through }
            return .compact(through: through)
        case 3 where random.chance(1, in: 3):
            let reached = last.index.rawValue + UInt64(1 + random.below(3))
            base = position(reached, term: hardState.term.rawValue)
            snapshot = base
            commit = base.index
            entries = []
            return .reset(point(reached, term: base.term.rawValue))
        default:
            let count = UInt64(1 + random.below(3))
            let next = last.index.rawValue + 1
            let term = hardState.term.rawValue
            let new = (0..<count).map { number in
                random.chance(1, in: 6)
                    ? Entry(
                        index: index(next + number),
                        term: Term(rawValue: term),
                        body: random.chance(1, in: 2) ? .noop : .configuration(threeMembers)
                    ) : command(next + number, term: term, bytes: random.below(90))
            }
            entries += new
            return .append(new)
        }
    }

    /// What is there when only some entries of an append fit into a batch.
    func steps(of write: LogWrite) -> [Model] {
        guard case .append(let entries) = write else { return [] }
        return (1...entries.count).map { count in
            var step = self
            step.entries += entries.prefix(count)
            return step
        }
    }

    private func max(_ one: LogPosition, _ other: LogIndex) -> LogPosition {
        one.index >= other ? one : LogPosition(index: other, term: term(at: other))
    }

    private func max(_ one: LogIndex, _ other: LogIndex) -> LogIndex {
        one > other ? one : other
    }
}

private struct Run {
    let disk = SimulatedStorage()
    var acknowledged: Model?
    var possible: [Model] = []

    mutating func go(batches: Int, random: inout SeededRandom) throws(DurableLogError) {
        var log = try openLog(disk)
        possible = [Model()]
        try log.bootstrap(cluster: 7, threeMembers)
        var model = Model()
        acknowledged = model
        for _ in 0..<batches {
            possible = []
            for _ in 0...random.below(3) {
                let writes = (0...random.below(2)).map { _ in
                    let before = model
                    let write = model.randomWrite(using: &random)
                    possible += before.steps(of: write)
                    possible.append(model)
                    return write
                }
                try log.stage(writes, commit: model.commit)
            }
            try log.commit()
            acknowledged = model
            possible = []
            // What is committed now was acknowledged; it is marked some time later.
            let low = model.commit.rawValue
            model.commit = index(.random(in: low...model.last.index.rawValue, using: &random))
        }
    }
}

@Suite struct CrashTests {
    private func found(
        _ disk: SimulatedStorage,
        snapshot: LogPosition?
    ) throws(DurableLogError) -> (model: Model, state: RecoveredState) {
        var log = try openLog(disk)
        let stored = snapshot.map {
            StoredSnapshot(cluster: 7, point: point($0.index.rawValue, term: $0.term.rawValue))
        }
        let state = try log.recover(behind: stored)
        var model = Model(hardState: state.hardState, base: state.log.base, entries: [])
        model.entries = state.log.entries(
            from: state.log.base.index.next,
            countLimit: 10_000,
            bytesLimit: 1 << 30
        )
        return (model, state)
    }

    @Test(arguments: UInt64(0)..<16)
    func `After a crash at any operation the core finds what was acknowledged`(
        seed: UInt64
    ) throws {
        var whole = Run()
        var random = SeededRandom(seed: seed)
        try whole.go(batches: 16, random: &random)
        let operations = whole.disk.operations
        for operation in 0..<operations {
            var run = Run()
            run.disk.crashAt = operation
            var random = SeededRandom(seed: seed)
            let error = failure { () throws(DurableLogError) in
                try run.go(batches: 16, random: &random)
            }
            guard case .log(.storage) = error else {
                Issue.record("seed \(seed), operation \(operation): \(String(describing: error))")
                return
            }
            var chance = SeededRandom(seed: seed &* 1_000_003 &+ UInt64(operation))
            run.disk.crash(using: &chance)
            // The snapshot is on disk before the log refers to it.
            let candidates = (run.acknowledged.map { [$0] } ?? []) + run.possible
            guard let acknowledged = run.acknowledged else { continue }
            let newest = candidates.compactMap(\.snapshot).max { $0.index < $1.index }
            let (model, state) = try found(run.disk, snapshot: newest)
            let isRight = candidates.contains { candidate in
                candidate.hardState == model.hardState && candidate.base == model.base
                    && candidate.entries == model.entries
            }
            // Or the log was set anew behind the snapshot.
            let isReset = state.wasReset && model.base == newest && model.entries.isEmpty
            #expect(isRight || isReset, "seed \(seed), operation \(operation)")
            #expect(state.log.commit <= state.log.lastIndex)
            #expect(state.hardState.term >= acknowledged.hardState.term)
            guard isRight || isReset else { return }
        }
    }
}
