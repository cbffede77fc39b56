import Model

/// The keys and the transactions of the plain registry.
extension NaiveRegistry {
    /// What a write to a key came to.
    struct Written {
        /// False when a condition was not met.
        var isDone = true
        var entry: KeyValueEntry?

        static let no = Written(isDone: false)
    }

    @discardableResult
    mutating func put(_ new: KeyValueEntry) -> KeyValueEntry {
        var entry = new
        let place = keys.firstIndex { $0.key == entry.key }
        entry.indexes = place.map { keys[$0].indexes } ?? stamp
        guard let place else {
            keys.append(entry)
            return entry
        }
        guard keys[place] != entry else { return entry }
        entry.indexes.modify.rawValue = index
        keys[place] = entry
        return entry
    }

    mutating func write(
        _ operation: KeyValueOperation,
        _ request: KeyValueEntry
    ) throws -> Written {
        var entry = request
        let current = keys.first { $0.key == entry.key }
        let wanted = entry.indexes.modify
        switch operation {
        case .set, .cas:
            if operation == .cas, (current?.indexes.modify ?? .zero) != wanted { return .no }
            entry.session = current?.session ?? ""
            return Written(entry: put(entry))
        case .delete:
            keys.removeAll { $0.key == entry.key }
        case .deleteCAS:
            guard let current else { return Written() }
            guard current.indexes.modify == wanted else { return .no }
            keys.removeAll { $0.key == entry.key }
        case .deleteTree:
            keys.removeAll { $0.key.utf8.starts(with: entry.key.utf8) }
        case .lock, .unlock:
            guard !entry.session.isEmpty else { throw Failure(message: "missing session") }
            guard operation == .lock else {
                guard let current, current.session == entry.session else { return .no }
                entry.lockIndex = current.lockIndex
                entry.session = ""
                return Written(entry: put(entry))
            }
            guard sessions.contains(where: { $0.id == entry.session }) else {
                throw Failure(message: "invalid session \"\(entry.session)\"")
            }
            let holder = current?.session ?? ""
            guard holder.isEmpty || holder == entry.session else { return .no }
            entry.lockIndex = (current?.lockIndex ?? 0) + (holder.isEmpty ? 1 : 0)
            return Written(entry: put(entry))
        default:
            break
        }
        return Written()
    }

    mutating func transact(_ operations: [TransactionOperation]) -> TransactionResult {
        let before = self
        var result = TransactionResult()
        for (position, operation) in operations.enumerated() {
            do {
                result.results += try perform(operation)
            } catch let failure as Failure {
                result.errors.append(
                    TransactionError(operationIndex: position, message: failure.message)
                )
            } catch {
                result.errors.append(TransactionError(operationIndex: position, message: "?"))
            }
        }
        if !result.errors.isEmpty {
            self = before
            result.results = []
        }
        return result
    }

    private mutating func perform(_ operation: TransactionOperation) throws -> [TransactionItem] {
        switch operation {
        case .keyValue(let verb, let entry):
            return try perform(verb, entry)
        case .node(let verb, let node):
            let find: (NaiveRegistry) -> Node? = { registry in
                registry.nodes.first {
                    node.id.isEmpty
                        ? sameName($0.name, node.name) : sameName($0.id, node.id)
                }
            }
            let named = nodes.first { sameName($0.name, node.name) }?.indexes.modify
            return try perform(
                verb,
                "node \"\(node.name)\"",
                at: named,
                wanted: node.indexes.modify,
                find: { find($0).map { .node($0) } },
                set: { try $0.set(node) },
                remove: { $0.removeNode(node.name) }
            )
        case .service(let verb, let node, let service):
            let find: (NaiveRegistry) -> CatalogService? = { registry in
                registry.services.first {
                    sameName($0.node, node) && sameName($0.service.id, service.id)
                }?.service
            }
            return try perform(
                verb,
                "service \"\(service.id)\" on node \"\(node)\"",
                at: find(self)?.indexes.modify,
                wanted: service.indexes.modify,
                find: { find($0).map { .service($0) } },
                set: { try $0.set(service, on: node) },
                remove: { $0.removeService(node, service.id) }
            )
        case .check(let verb, let check):
            let find: (NaiveRegistry) -> HealthCheck? = { registry in
                registry.checks.first {
                    sameName($0.node, check.node) && sameName($0.id, check.id)
                }
            }
            return try perform(
                verb,
                "check \"\(check.id)\" on node \"\(check.node)\"",
                at: find(self)?.indexes.modify,
                wanted: check.indexes.modify,
                find: { find($0).map { .check($0) } },
                set: { try $0.set(check) },
                remove: { $0.removeCheck(check.node, check.id) }
            )
        }
    }

    private mutating func perform(
        _ verb: CatalogOperation,
        _ what: String,
        at current: LogIndex?,
        wanted: LogIndex,
        find: (NaiveRegistry) -> TransactionItem?,
        set: (inout NaiveRegistry) throws -> Void,
        remove: (inout NaiveRegistry) -> Void
    ) throws -> [TransactionItem] {
        switch verb {
        case .get:
            guard let item = find(self) else { throw Failure(message: "\(what) doesn't exist") }
            return [item]
        case .set, .cas:
            if verb == .cas, (current ?? .zero) != wanted {
                throw Failure(message: "failed to set \(what), index is stale")
            }
            try set(&self)
            return find(self).map { [$0] } ?? []
        case .delete, .deleteCAS:
            if verb == .deleteCAS, current != wanted {
                throw Failure(message: "failed to delete \(what), index is stale")
            }
            remove(&self)
            return []
        }
    }

    private mutating func perform(
        _ verb: KeyValueOperation,
        _ entry: KeyValueEntry
    ) throws -> [TransactionItem] {
        let key = "key \"\(entry.key)\""
        let current = keys.first { $0.key == entry.key }
        switch verb {
        case .get:
            guard let current else { throw Failure(message: "\(key) doesn't exist") }
            return [.keyValue(current)]
        case .getTree:
            return keys.filter { $0.key.utf8.starts(with: entry.key.utf8) }
                .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                .map { .keyValue($0) }
        case .checkNotExists:
            guard current == nil else { throw Failure(message: "\(key) exists") }
            return []
        case .checkSession, .checkIndex:
            let what = verb == .checkIndex ? "index" : "session"
            guard let current else {
                throw Failure(message: "failed to check \(what), \(key) doesn't exist")
            }
            let have =
                verb == .checkIndex
                ? "\(current.indexes.modify.rawValue)" : "\"\(current.session)\""
            let want =
                verb == .checkIndex ? "\(entry.indexes.modify.rawValue)" : "\"\(entry.session)\""
            guard have == want else {
                let name = verb == .checkIndex ? "modify index" : "session"
                throw Failure(
                    message: "failed \(what) check for \(key), current \(name) \(have) != \(want)"
                )
            }
            return [Self.blank(current)]
        default:
            if verb == .lock, isDelayed(entry.key) {
                throw Failure(message: "failed to lock \(key) due to lock delay")
            }
            let written = try write(verb, entry)
            guard written.isDone else { throw Failure(message: Self.refusal(of: verb, key)) }
            return written.entry.map { [Self.blank($0)] } ?? []
        }
    }

    private static func refusal(of verb: KeyValueOperation, _ key: String) -> String {
        switch verb {
        case .lock: "failed to lock \(key), lock is already held"
        case .unlock:
            "failed to unlock \(key), lock isn't held, or is held by another session"
        case .deleteCAS: "failed to delete \(key), index is stale"
        default: "failed to set \(key), index is stale"
        }
    }

    private static func blank(_ entry: KeyValueEntry) -> TransactionItem {
        var entry = entry
        entry.value = []
        return .keyValue(entry)
    }
}
