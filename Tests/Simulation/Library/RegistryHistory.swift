package import Model
import StateMachine

/// Whether what clients were told can be true: the log's order is the witness.
///
/// Every write has a place in the log and every read an index as of which it was answered. That
/// order is a linearization if it does not contradict real time and if a plain model that goes
/// through it gives every answer that was given.
package struct RegistryHistory {
    private struct Record {
        var operation: RegistryOperation
        var invoked: Instant
        /// nil while the outcome is not known.
        var returned: Instant?
        /// What a read of an instance saw.
        var seen: RegistrySpecification.Instance?
        /// The greatest place of any operation that was answered before this one began.
        var floor: LogIndex
        /// Where it took effect.
        var index: LogIndex?
    }

    private var records: [UInt64: Record] = [:]
    private var operations: [RequestID: UInt64] = [:]
    private var answers: [LogIndex: RegistryAnswer?] = [:]
    private var specification = RegistrySpecification()
    /// How far the log is known.
    private(set) var through = LogIndex.zero
    private var latest = LogIndex.zero
    package private(set) var answered = 0
    /// Entries that came a second time and had no effect.
    package private(set) var duplicates = 0

    mutating func begin(_ operation: RegistryOperation, now: Instant) {
        records[operation.id] = Record(operation: operation, invoked: now, floor: latest)
    }

    /// Notes under which name a server sends an operation on its way.
    mutating func name(_ operation: UInt64, _ request: RequestID) {
        if operations[request] == nil { operations[request] = operation }
    }

    /// Takes in an entry that a server applied; returns what is wrong with it.
    mutating func observe(_ effect: RegistryMachine.Effect) -> String? {
        let index = effect.index
        guard index > through else {
            guard let known = answers[index], known != effect.answer else { return nil }
            return "entry \(index.rawValue) came to another result on another server"
        }
        // Entries before a snapshot were applied by the server that took it.
        guard index == through.next else { return "entry \(index.rawValue) applied after a gap" }
        through = index
        guard let header = effect.header else { return nil }
        specification.advance(to: header.stamp)
        answers[index] = .some(effect.answer)
        guard let answer = effect.answer else {
            duplicates += 1
            return nil
        }
        guard let id = operations[header.request], var record = records[id] else {
            return "entry \(index.rawValue) of a request that nobody made"
        }
        if let command = record.operation.command, command != effect.command {
            return "entry \(index.rawValue) is not what was asked"
        }
        if let before = record.index {
            return "operation \(id) took effect at \(before.rawValue) and \(index.rawValue)"
        }
        record.index = index
        records[id] = record
        let expected = specification.apply(record.operation, at: index)
        guard expected == answer else {
            return "\(record.operation.kind) at \(index.rawValue): \(answer), not \(expected)"
        }
        return nil
    }

    /// Notes the answer to a write.
    mutating func finish(_ id: UInt64, at index: LogIndex, now: Instant) -> String? {
        guard var record = records[id], record.returned == nil else { return nil }
        record.returned = now
        records[id] = record
        answered += 1
        latest = max(latest, index)
        guard record.index == index else { return "the answer to operation \(id) is another's" }
        guard index > record.floor else {
            return "a write at \(index.rawValue) after an answer at \(record.floor.rawValue)"
        }
        return nil
    }

    /// Notes the answer to a read, given from the state as of `index`.
    mutating func finish(
        _ id: UInt64,
        at index: LogIndex,
        from machine: RegistryMachine,
        now: Instant
    ) -> String? {
        guard var record = records[id], record.returned == nil else { return nil }
        record.returned = now
        if case .readInstance(let number, _) = record.operation.kind {
            record.seen = machine.instance(number)
        }
        records[id] = record
        answered += 1
        latest = max(latest, index)
        guard index >= record.floor else {
            return "a read at \(index.rawValue) after an answer at \(record.floor.rawValue)"
        }
        let isRight =
            switch record.operation.kind {
            case .readKey(let key, _):
                machine.key(key) == specification.key(key, at: index)
            case .readInstance(let number, _):
                machine.instance(number) == specification.instance(number, at: index)
            default: true
            }
        return isRight ? nil : "\(record.operation.kind) at \(index.rawValue) saw something else"
    }

    /// Instances whose history no order of the calls on them explains, whatever the log says.
    package var unexplainedInstances: [UInt8] {
        var calls: [UInt8: [InstanceCall]] = [:]
        // Who was not answered has had an effect if a server has applied it.
        for (id, record) in records.sorted(by: { $0.key < $1.key })
        where record.returned != nil || record.index != nil {
            let (number, kind): (UInt8, InstanceCall.Kind)
            switch record.operation.kind {
            case .register(let instance, let isPassing):
                (number, kind) = (instance, .register(isPassing: isPassing))
            case .deregister(let instance): (number, kind) = (instance, .deregister)
            case .readInstance(let instance, _): (number, kind) = (instance, .read(record.seen))
            default: continue
            }
            let call = InstanceCall(
                id: id,
                invoked: record.invoked,
                returned: record.returned,
                kind: kind
            )
            calls[number, default: []].append(call)
        }
        return calls.keys.sorted().filter {
            !Linearizability.holds(for: calls[$0] ?? [], from: nil)
        }
    }

    func operation(_ id: UInt64) -> RegistryOperation? { records[id]?.operation }
}

/// A call on one instance of a service, and how it was answered.
package struct InstanceCall: SequentialCall {
    package enum Kind: Hashable {
        case register(isPassing: Bool)
        case deregister
        case read(RegistrySpecification.Instance?)
    }

    package var id: UInt64
    package var invoked: Instant
    package var returned: Instant?
    package var kind: Kind

    package init(id: UInt64, invoked: Instant, returned: Instant?, kind: Kind) {
        self.id = id
        self.invoked = invoked
        self.returned = returned
        self.kind = kind
    }

    package func state(
        after instance: RegistrySpecification.Instance?
    ) -> RegistrySpecification.Instance?? {
        switch kind {
        case .register(let isPassing):
            .some(RegistrySpecification.Instance(writer: id, isPassing: isPassing))
        case .deregister: .some(nil)
        case .read(let seen): seen == instance ? .some(instance) : nil
        }
    }
}
