package import Model
import Wire

extension StateStore {
    /// Applies the steps in order, each seeing those before it; if one fails nothing has happened.
    ///
    /// - Source: Consul: PUT /v1/txn
    mutating func applyTransaction(
        _ operations: [TransactionOperation],
        _ context: inout WriteContext
    ) -> TransactionResult {
        let before = self
        var trial = WriteContext(index: context.index, now: context.now, changes: ChangeSet())
        var result = TransactionResult()
        for (position, operation) in operations.enumerated() {
            do throws(StoreError) {
                result.results += try perform(operation, &trial)
            } catch {
                result.errors.append(
                    TransactionError(operationIndex: position, message: error.message)
                )
            }
        }
        guard result.errors.isEmpty else {
            self = before
            result.results = []
            return result
        }
        context.changes.formUnion(trial.changes)
        return result
    }

    /// Answers a transaction that only reads.
    ///
    /// Whatever its steps write is forgotten. The topics are empty: transactions do not block.
    package func readTransaction(
        _ operations: [TransactionOperation]
    ) -> Answer<TransactionResult> {
        var scratch = self
        var context = WriteContext(
            index: lastApplied,
            now: Timestamp(nanosecondsSinceEpoch: 0),
            changes: ChangeSet()
        )
        return Answer(scratch.applyTransaction(operations, &context), lastApplied, [])
    }

    private mutating func perform(
        _ operation: TransactionOperation,
        _ context: inout WriteContext
    ) throws(StoreError) -> [TransactionItem] {
        switch operation {
        case .keyValue(let verb, let entry):
            return try perform(verb, entry, &context)
        case .node(let verb, let node):
            return try perform(verb, node, &context).map { [.node($0)] } ?? []
        case .service(let verb, let node, let service):
            return try perform(verb, node: node, service, &context).map { [.service($0)] } ?? []
        case .check(let verb, let check):
            return try perform(verb, check, &context).map { [.check($0)] } ?? []
        }
    }
}

// MARK: Keys

extension StateStore {
    private mutating func perform(
        _ verb: KeyValueOperation,
        _ entry: KeyValueEntry,
        _ context: inout WriteContext
    ) throws(StoreError) -> [TransactionItem] {
        switch verb {
        case .get:
            guard let record = keyTable.find(entry.key) else {
                throw StoreError("key \(GoQuote.quote(entry.key)) doesn't exist")
            }
            return [.keyValue(record.entry)]
        case .getTree:
            var items: [TransactionItem] = []
            keyTable.forEach(prefix: entry.key) { items.append(.keyValue($0.entry)) }
            return items
        case .checkSession, .checkIndex, .checkNotExists:
            return try check(verb, entry).map { [.withoutValue($0)] } ?? []
        default:
            return try write(verb, entry, &context).map { [.withoutValue($0)] } ?? []
        }
    }

    private func check(
        _ verb: KeyValueOperation,
        _ entry: KeyValueEntry
    ) throws(StoreError) -> KeyValueEntry? {
        let key = GoQuote.quote(entry.key)
        let current = keyTable.find(entry.key)
        if verb == .checkNotExists {
            guard current == nil else { throw StoreError("key \(key) exists") }
            return nil
        }
        let what = verb == .checkSession ? "session" : "index"
        guard let current else {
            throw StoreError("failed to check \(what), key \(key) doesn't exist")
        }
        if verb == .checkSession {
            guard Bytes.equal(current.session, entry.session) else {
                let (have, want) = (GoQuote.quote(current.session), GoQuote.quote(entry.session))
                throw StoreError(
                    "failed session check for key \(key), current session \(have) != \(want)"
                )
            }
        } else {
            let (have, want) = (current.indexes.modify, entry.indexes.modify)
            guard have == want else {
                throw StoreError(
                    "failed index check for key \(key), current modify index \(have.rawValue) "
                        + "!= \(want.rawValue)"
                )
            }
        }
        return current.entry
    }

    private mutating func write(
        _ verb: KeyValueOperation,
        _ entry: KeyValueEntry,
        _ context: inout WriteContext
    ) throws(StoreError) -> KeyValueEntry? {
        let key = GoQuote.quote(entry.key)
        switch verb {
        case .set:
            return setKey(entry, keepingSession: true, &context)
        case .cas:
            guard let written = setKeyIfUnchanged(entry, &context) else {
                throw StoreError("failed to set key \(key), index is stale")
            }
            return written
        case .lock:
            guard !keyTable.isDelayed(entry.key, now: context.now) else {
                throw StoreError("failed to lock key \(key) due to lock delay")
            }
            guard let written = try lockKey(entry, &context) else {
                throw StoreError("failed to lock key \(key), lock is already held")
            }
            return written
        case .unlock:
            guard let written = try unlockKey(entry, &context) else {
                throw StoreError(
                    "failed to unlock key \(key), lock isn't held, or is held by another session"
                )
            }
            return written
        case .delete:
            deleteKey(entry.key, &context)
        case .deleteCAS:
            guard deleteKey(entry.key, ifAt: entry.indexes.modify, &context) else {
                throw StoreError("failed to delete key \(key), index is stale")
            }
        case .deleteTree:
            deleteTree(entry.key, &context)
        case .get, .getTree, .checkSession, .checkIndex, .checkNotExists:
            break
        }
        return nil
    }
}

extension TransactionItem {
    /// An entry as replies of writes show it.
    fileprivate static func withoutValue(_ entry: KeyValueEntry) -> TransactionItem {
        var entry = entry
        entry.value = []
        return .keyValue(entry)
    }
}
