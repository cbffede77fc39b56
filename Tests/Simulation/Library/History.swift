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
            return !Linearizability.holds(for: sorted, from: 0)
        }
    }
}

extension History.Record: SequentialCall {
    package var id: UInt64 { operation.id }

    /// The value after the operation; nil when its answer would have been another.
    package func state(after value: UInt64) -> UInt64? {
        switch operation.kind {
        case .get: return self.value == value ? value : nil
        case .put(let new): return new
        case .compareAndSet(let expected, let new):
            let hasEffect = expected == value
            if returned != nil, self.hasEffect != hasEffect { return nil }
            return hasEffect ? new : value
        }
    }
}
