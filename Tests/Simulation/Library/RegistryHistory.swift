import Model
import StateMachine

/// Whether what clients were told can be true: the log's order is the witness.
///
/// Every write has a place in the log and every read an index as of which it was answered. That
/// order is a linearization if it does not contradict real time and if a plain model that goes
/// through it gives every answer that was given.
package struct RegistryHistory {
    private struct Record {
        var operation: RegistryOperation
        /// The greatest place of any operation that was answered before this one began.
        var floor: LogIndex
        var isAnswered = false
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

    mutating func begin(_ operation: RegistryOperation) {
        records[operation.id] = Record(operation: operation, floor: latest)
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
    mutating func finish(_ id: UInt64, at index: LogIndex) -> String? {
        guard var record = records[id], !record.isAnswered else { return nil }
        record.isAnswered = true
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
        from machine: RegistryMachine
    ) -> String? {
        guard var record = records[id], !record.isAnswered else { return nil }
        record.isAnswered = true
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

    func operation(_ id: UInt64) -> RegistryOperation? { records[id]?.operation }
}
