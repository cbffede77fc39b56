package import Model

/// What the registry must do, in the plainest form: written from Consul's documentation, not from
/// the state store.
package struct RegistrySpecification {
    package struct Key: Hashable, Sendable {
        package var value: UInt64
        package var modified: LogIndex
        package var session: String
    }

    package struct Instance: Hashable, Sendable {
        /// The operation that registered it last.
        package var writer: UInt64
        package var isPassing: Bool

        package init(writer: UInt64, isPassing: Bool) {
            self.writer = writer
            self.isPassing = isPassing
        }
    }

    private var keys: [UInt8: Key] = [:]
    private var delays: [UInt8: Timestamp] = [:]
    private var sessions: [String: RegistryOperation.SessionKind] = [:]
    private var instances: [UInt8: Instance] = [:]
    private var nodes: Set<String> = []
    private var keyChanges: [UInt8: [(LogIndex, Key?)]] = [:]
    private var instanceChanges: [UInt8: [(LogIndex, Instance?)]] = [:]
    private var now = Timestamp(nanosecondsSinceEpoch: 0)

    /// The key as of an index that was applied.
    func key(_ key: UInt8, at index: LogIndex) -> Key? {
        keyChanges[key]?.last { $0.0 <= index }?.1
    }

    func instance(_ number: UInt8, at index: LogIndex) -> Instance? {
        instanceChanges[number]?.last { $0.0 <= index }?.1
    }

    /// Time goes on with every entry, those without effect too.
    mutating func advance(to stamp: Timestamp) {
        now = max(now, stamp)
    }

    /// The answer to the operation at its place in the log.
    mutating func apply(_ operation: RegistryOperation, at index: LogIndex) -> RegistryAnswer {
        let id = operation.id
        switch operation.kind {
        case .put(let key):
            let session = keys[key]?.session ?? ""
            set(key, Key(value: id, modified: index, session: session), index)
            return .done
        case .compareAndSet(let key, let expected):
            guard keys[key]?.modified ?? .zero == expected else { return .condition(false) }
            let session = keys[key]?.session ?? ""
            set(key, Key(value: id, modified: index, session: session), index)
            return .condition(true)
        case .delete(let key):
            set(key, Key?.none, index)
            return .done
        case .lock(let key, let session): return lock(key, session, id, index)
        case .unlock(let key, let session):
            guard let held = keys[key], held.session == session else { return .condition(false) }
            set(key, Key(value: id, modified: index, session: ""), index)
            return .condition(true)
        case .createSession(let kind):
            guard nodes.contains(RegistryOperation.node(of: kind.instance ?? 0)) else {
                return .refused
            }
            if let number = kind.instance, instances[number]?.isPassing != true { return .refused }
            sessions[RegistryOperation.session(id)] = kind
            return .done
        case .destroySession(let session):
            destroy(session, index)
            return .done
        case .register(let number, let isPassing):
            nodes.insert(RegistryOperation.node(of: number))
            set(number, Instance(writer: id, isPassing: isPassing), index)
            return .done
        case .deregister(let number):
            set(number, Instance?.none, index)
            return .done
        case .readKey, .readInstance: return .refused
        }
    }

    private mutating func lock(
        _ key: UInt8,
        _ session: String,
        _ id: UInt64,
        _ index: LogIndex
    ) -> RegistryAnswer {
        if let until = delays[key], now < until { return .condition(false) }
        guard sessions[session] != nil else { return .refused }
        let holder = keys[key]?.session ?? ""
        guard holder.isEmpty || holder == session else { return .condition(false) }
        set(key, Key(value: id, modified: index, session: session), index)
        return .condition(true)
    }

    private mutating func destroy(_ session: String, _ index: LogIndex) {
        guard let kind = sessions.removeValue(forKey: session) else { return }
        for (key, entry) in keys.sorted(by: { $0.key < $1.key }) where entry.session == session {
            let released = Key(value: entry.value, modified: index, session: "")
            set(key, kind.deletesKeys ? Key?.none : released, index)
            if kind.delaysLocks { delays[key] = now.advanced(by: RegistryOperation.lockDelay) }
        }
    }

    private mutating func set(_ key: UInt8, _ entry: Key?, _ index: LogIndex) {
        keys[key] = entry
        keyChanges[key, default: []].append((index, entry))
    }

    private mutating func set(_ number: UInt8, _ instance: Instance?, _ index: LogIndex) {
        instances[number] = instance
        instanceChanges[number, default: []].append((index, instance))
        guard instance?.isPassing != true else { return }
        // A session ends with the check that it rests on.
        for (session, kind) in sessions.sorted(by: { $0.key < $1.key })
        where kind.instance == number {
            destroy(session, index)
        }
    }
}
