package import Model
package import Raft
import StateMachine
import Wire

/// What a client asks of the registry.
package struct RegistryOperation: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case put(UInt8)
        /// Sets the key if it was last changed at that index; 0 when it must not be there.
        case compareAndSet(UInt8, expected: LogIndex)
        case delete(UInt8)
        case lock(UInt8, session: String)
        case unlock(UInt8, session: String)
        case createSession(SessionKind)
        case destroySession(String)
        case register(UInt8, isPassing: Bool)
        case deregister(UInt8)
        case readKey(UInt8, ReadMode)
        case readInstance(UInt8, ReadMode)
    }

    /// What a session is like.
    package struct SessionKind: Hashable, Sendable {
        /// The instance whose check must pass; nil for none.
        var instance: UInt8?
        var delaysLocks: Bool
        var deletesKeys: Bool
        var expires: Bool
    }

    static let keys: UInt8 = 3
    static let instances: UInt8 = 4
    static let lockDelay = Nanoseconds.milliseconds(700)

    /// Never used again; also the value that a write writes.
    package var id: UInt64
    package var kind: Kind

    var readMode: ReadMode? {
        switch kind {
        case .readKey(_, let mode), .readInstance(_, let mode): mode
        default: nil
        }
    }

    static func name(ofKey key: UInt8) -> String { "key/\(key)" }
    static func node(of instance: UInt8) -> String { "node\(instance % 2)" }
    static func service(_ instance: UInt8) -> String { "service\(instance)" }
    static func check(_ instance: UInt8) -> String { "check\(instance)" }

    /// The name of the session that the operation with this id makes.
    static func session(_ id: UInt64) -> String {
        let digits = String(id)
        return "00000000-0000-0000-0000-" + String(repeating: "0", count: 12 - digits.count)
            + digits
    }

    /// The command of a write.
    var command: Command? {
        switch kind {
        case .put(let key): return keyValue(.set, key)
        case .compareAndSet(let key, let expected): return keyValue(.cas, key, expected: expected)
        case .delete(let key): return keyValue(.delete, key)
        case .lock(let key, let session): return keyValue(.lock, key, session: session)
        case .unlock(let key, let session): return keyValue(.unlock, key, session: session)
        case .createSession(let kind): return .session(.create(session(kind)))
        case .destroySession(let session): return .session(.destroy(id: session))
        case .register(let instance, let isPassing): return register(instance, isPassing)
        case .deregister(let instance):
            var command = DeregisterCommand()
            command.node = Self.node(of: instance)
            command.serviceID = Self.service(instance)
            return .deregister(command)
        case .readKey, .readInstance: return nil
        }
    }

    private func keyValue(
        _ operation: KeyValueOperation,
        _ key: UInt8,
        expected: LogIndex = .zero,
        session: String = ""
    ) -> Command {
        var entry = KeyValueEntry()
        entry.key = Self.name(ofKey: key)
        entry.value = (0..<8).map { UInt8(truncatingIfNeeded: id >> (8 * UInt64($0))) }
        entry.session = session
        entry.indexes.modify = expected
        return .keyValue(KeyValueCommand(operation: operation, entry: entry))
    }

    private func session(_ kind: SessionKind) -> Session {
        var session = Session()
        session.id = Self.session(id)
        session.node = Self.node(of: kind.instance ?? 0)
        session.checks = kind.instance.map { [Self.check($0)] } ?? []
        session.lockDelay = kind.delaysLocks ? Self.lockDelay : .zero
        session.behavior = kind.deletesKeys ? .delete : .release
        session.ttl = kind.expires ? "10s" : ""
        return session
    }

    private func register(_ instance: UInt8, _ isPassing: Bool) -> Command {
        var command = RegisterCommand()
        command.node.name = Self.node(of: instance)
        command.node.address = "10.0.0.1"
        var service = CatalogService()
        service.id = Self.service(instance)
        service.name = "service"
        service.port = Int(id)
        command.service = service
        var check = HealthCheck()
        check.node = command.node.name
        check.id = Self.check(instance)
        check.name = "check"
        check.serviceID = service.id
        check.status = isPassing ? .passing : .critical
        command.checks = [check]
        return .register(command)
    }

    /// The log entry of a write.
    func entry(_ header: EntryHeader) -> [UInt8]? {
        guard let command else { return nil }
        var bytes = [UInt8](repeating: 0, count: EntryHeader.sizeBytes)
        header.write(over: &bytes)
        CommandCoding.encode(command, into: &bytes)
        return bytes
    }
}

/// What the registry says to a write.
package enum RegistryAnswer: Hashable, Sendable {
    case done
    case condition(Bool)
    case refused

    init(_ result: CommandResult) {
        switch result {
        case .done, .sessionID, .transaction: self = .done
        case .condition(let holds): self = .condition(holds)
        case .refused: self = .refused
        }
    }
}
