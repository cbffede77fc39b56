import Model
import StateStore

/// A store with a log index and a clock that advance by one with each command.
struct TestStore {
    var store = StateStore()
    /// The index of the last command; also the seconds that have passed.
    var index: UInt64 = 10
    /// What the last command touched.
    var changes = ChangeSet()

    @discardableResult
    mutating func apply(_ command: Command, after seconds: UInt64 = 1) -> CommandResult {
        index += seconds
        changes = ChangeSet()
        return store.apply(
            command,
            at: LogIndex(rawValue: index),
            stamped: Timestamp(nanosecondsSinceEpoch: index * 1_000_000_000),
            into: &changes
        )
    }

    /// The message of the refusal; empty when the command was accepted.
    mutating func refusal(of command: Command) -> String {
        guard case .refused(.invalid(let message)) = apply(command) else { return "" }
        return message
    }

    /// Whether the last command wakes a query that was answered like this.
    func wakes<Value>(_ answer: Answer<Value>) -> Bool {
        answer.topics.contains { changes.wakes($0) }
    }

    // MARK: Catalog

    @discardableResult
    mutating func register(
        node: String,
        id: String = "",
        address: String = "10.0.0.1",
        service: String = "",
        serviceID: String = "",
        tags: [String]? = nil,
        checks: [HealthCheck] = []
    ) -> String {
        var command = RegisterCommand()
        command.node.name = node
        command.node.id = id
        command.node.address = address
        if !service.isEmpty {
            var instance = CatalogService()
            instance.name = service
            instance.id = serviceID.isEmpty ? service : serviceID
            instance.tags = tags
            command.service = instance
        }
        command.checks = checks
        for position in command.checks.indices where command.checks[position].node.isEmpty {
            command.checks[position].node = node
        }
        return refusal(of: .register(command))
    }

    mutating func deregister(node: String, service: String = "", check: String = "") {
        var command = DeregisterCommand()
        command.node = node
        command.serviceID = service
        command.checkID = check
        apply(.deregister(command))
    }

    // MARK: Keys and sessions

    @discardableResult
    mutating func put(
        _ key: String,
        _ value: String = "",
        _ operation: KeyValueOperation = .set,
        session: String = "",
        at index: UInt64 = 0,
        flags: UInt64 = 0,
        after seconds: UInt64 = 1
    ) -> CommandResult {
        let entry = keyEntry(key, value, session: session, at: index, flags: flags)
        return apply(
            .keyValue(KeyValueCommand(operation: operation, entry: entry)),
            after: seconds
        )
    }

    @discardableResult
    mutating func createSession(
        _ id: String,
        node: String = "n1",
        checks: [String] = [],
        behavior: SessionBehavior = .release,
        lockDelay: Nanoseconds = .zero
    ) -> String {
        var session = Session()
        session.id = id
        session.node = node
        session.nodeChecks = checks
        session.behavior = behavior
        session.lockDelay = lockDelay
        return refusal(of: .session(.create(session)))
    }

    mutating func destroySession(_ id: String) {
        apply(.session(.destroy(id: id)))
    }

    func entry(_ key: String) -> KeyValueEntry? {
        store.keyValue(key).value?.entry
    }
}

func keyEntry(
    _ key: String,
    _ value: String = "",
    session: String = "",
    at index: UInt64 = 0,
    flags: UInt64 = 0
) -> KeyValueEntry {
    var entry = KeyValueEntry()
    entry.key = key
    entry.value = Array(value.utf8)
    entry.session = session
    entry.indexes.modify = LogIndex(rawValue: index)
    entry.flags = flags
    return entry
}

func check(
    _ id: String,
    _ status: CheckStatus = .passing,
    service: String = "",
    node: String = "",
    output: String = ""
) -> HealthCheck {
    var check = HealthCheck()
    check.id = id
    check.name = id
    check.status = status
    check.serviceID = service
    check.node = node
    check.output = output
    return check
}
