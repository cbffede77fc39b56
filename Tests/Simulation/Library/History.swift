package import Model
import Raft

/// What the clients saw, and two ways to find out whether it can be true.
package struct History {
    /// One operation of one client.
    package struct Record {
        package var operation: Operation
        package var invoked: Instant
        /// nil while the outcome is unknown: it may have its effect at any later time, or never.
        package var returned: Instant?
        /// What a read saw.
        package var value: UInt64 = 0
        /// Whether a compare-and-set took effect.
        package var hasEffect = false
        /// No operation that was answered before this one began stands later in the log.
        var floor: LogIndex
        /// It was refused for good.
        var isRefused = false
    }

    package private(set) var records: [UInt64: Record] = [:]
    package private(set) var answered = 0
    /// The latest place in the log of any answered operation.
    private var latest = LogIndex.zero

    package init() {}

    package mutating func begin(_ operation: Operation, now: Instant) {
        records[operation.id] = Record(operation: operation, invoked: now, floor: latest)
    }

    /// Notes an answer; `index` is the entry of a write, or what a read's state had applied.
    ///
    /// Returns what is wrong with it: the order of the log must not contradict real time.
    package mutating func finish(
        _ id: UInt64,
        at index: LogIndex,
        value: UInt64,
        hasEffect: Bool,
        now: Instant
    ) -> String? {
        guard var record = records[id], record.returned == nil else { return nil }
        record.returned = now
        record.value = value
        record.hasEffect = hasEffect
        records[id] = record
        answered += 1
        latest = max(latest, index)
        let isLate = record.operation.isRead ? index < record.floor : index <= record.floor
        guard isLate else { return nil }
        let kind = record.operation.isRead ? "read" : "write"
        return "a \(kind) at \(index.rawValue) after an answer at \(record.floor.rawValue)"
    }

    /// Notes that the operation certainly has no effect.
    package mutating func refuse(_ id: UInt64) {
        guard records[id]?.returned == nil else { return }
        records[id]?.isRefused = true
    }

    /// Whether an operation that is being applied was refused before.
    package func isRefused(_ id: UInt64) -> Bool {
        records[id]?.isRefused ?? false
    }

    /// Keys whose history no order of the operations explains.
    ///
    /// Of the operations without an answer only those in `applied` had an effect.
    package func unexplainedKeys(applied: Set<UInt64>) -> [UInt8] {
        var byKey: [UInt8: [Record]] = [:]
        for record in records.values where !record.isRefused {
            if record.returned == nil, !applied.contains(record.operation.id) { continue }
            byKey[record.operation.key, default: []].append(record)
        }
        return byKey.keys.sorted().filter { key in
            let sorted = (byKey[key] ?? []).sorted { $0.operation.id < $1.operation.id }
            return !Linearizability.holds(for: sorted)
        }
    }
}

/// Decides whether a history of one register is linearizable.
///
/// - Source: Wing and Gong, 1993, with the memory of Lowe, "Testing for linearizability", 2017.
package enum Linearizability {
    private struct Configuration: Hashable {
        var done: [UInt64]
        var value: UInt64
    }

    private struct Step {
        var record: Int
        var before: UInt64
    }

    /// Whether some order explains the answers; gives up and believes after `patience` steps.
    ///
    /// Complexity: exponential in the number of operations that overlap, at worst.
    package static func holds(
        for records: [History.Record],
        patience: Int = 200_000
    ) -> Bool {
        let order = records.indices.sorted {
            let (left, right) = (records[$0], records[$1])
            return left.invoked != right.invoked
                ? left.invoked < right.invoked : left.operation.id < right.operation.id
        }
        let required = records.filter { $0.returned != nil }.count
        var done = [UInt64](repeating: 0, count: records.count / 64 + 1)
        var seen: Set<Configuration> = []
        var stack: [Step] = []
        var (value, finished, next) = (UInt64(0), 0, 0)
        var patience = patience
        while finished < required, patience > 0 {
            patience -= 1
            var advanced = false
            let deadline = earliestReturn(records, order, done)
            while next < order.count {
                let candidate = order[next]
                let record = records[candidate]
                next += 1
                if record.invoked > deadline { break }
                guard !contains(done, candidate), let after = apply(record, to: value) else {
                    continue
                }
                insert(&done, candidate)
                if seen.insert(Configuration(done: done, value: after)).inserted {
                    stack.append(Step(record: candidate, before: value))
                    value = after
                    finished += record.returned == nil ? 0 : 1
                    advanced = true
                    next = 0
                    break
                }
                remove(&done, candidate)
            }
            if advanced { continue }
            guard let step = stack.popLast() else { return false }
            remove(&done, step.record)
            value = step.before
            finished -= records[step.record].returned == nil ? 0 : 1
            next = (order.firstIndex(of: step.record) ?? 0) + 1
        }
        return true
    }

    /// The value after the operation; nil when its answer would have been another.
    private static func apply(_ record: History.Record, to value: UInt64) -> UInt64? {
        switch record.operation.kind {
        case .get: return record.value == value ? value : nil
        case .put(let new): return new
        case .compareAndSet(let expected, let new):
            let hasEffect = expected == value
            if record.returned != nil, record.hasEffect != hasEffect { return nil }
            return hasEffect ? new : value
        }
    }

    /// Whatever comes next began before any operation that is not placed yet was answered.
    private static func earliestReturn(
        _ records: [History.Record],
        _ order: [Int],
        _ done: [UInt64]
    ) -> Instant {
        var earliest = Instant(nanoseconds: .max)
        for index in order {
            if records[index].invoked > earliest { break }
            guard !contains(done, index), let returned = records[index].returned else { continue }
            earliest = min(earliest, returned)
        }
        return earliest
    }

    private static func contains(_ set: [UInt64], _ index: Int) -> Bool {
        set[index / 64] >> UInt64(index % 64) & 1 == 1
    }

    private static func insert(_ set: inout [UInt64], _ index: Int) {
        set[index / 64] |= 1 << UInt64(index % 64)
    }

    private static func remove(_ set: inout [UInt64], _ index: Int) {
        set[index / 64] &= ~(1 << UInt64(index % 64))
    }
}
