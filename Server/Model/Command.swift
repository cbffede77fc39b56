/// A change of the registry, as the log carries it.
///
/// The log entry's data is one byte of message type followed by one MessagePack map (`Wire`); the
/// entry's index and leader-stamped time travel beside it. Everything random or clock-bound
/// (session ids, stamps) is chosen by the leader before it proposes. Boxed, because a command is
/// handed on many times before it is applied once.
/// - Source: Consul: Raft sheet §7, message types 0–8.
package indirect enum Command: Hashable, Sendable {
    case register(RegisterCommand)
    case deregister(DeregisterCommand)
    case keyValue(KeyValueCommand)
    case session(SessionCommand)
    /// Forgets the tombstones of all indexes up to and including this one.
    case reapTombstones(upTo: LogIndex)
    case updateCoordinates([NodeCoordinate])
    case transaction([TransactionOperation])
    case autopilot(AutopilotCommand)
}

/// Writes a node, and with it at most one service and any number of checks, atomically.
package struct RegisterCommand: Hashable, Sendable {
    package var datacenter: String = ""
    package var node = Node()
    package var service: CatalogService?
    package var checks: [HealthCheck] = []
    /// Leaves an existing node record as it is.
    package var skipNodeUpdate: Bool = false

    package init() {}
}

/// Removes a check, a service with its checks, or a node with all of it.
package struct DeregisterCommand: Hashable, Sendable {
    package var datacenter: String = ""
    package var node: String = ""
    /// When set, only this service; wins over `checkID`.
    package var serviceID: String = ""
    /// When set (and no service is), only this check.
    package var checkID: String = ""

    package init() {}
}

/// What is done to a key; raw values are the wire's.
package enum KeyValueOperation: String, Hashable, Sendable {
    case set
    case delete
    case deleteCAS = "delete-cas"
    case deleteTree = "delete-tree"
    case cas
    case lock
    case unlock
    // Only inside transactions.
    case get
    case getTree = "get-tree"
    case checkSession = "check-session"
    case checkIndex = "check-index"
    case checkNotExists = "check-not-exists"
}

/// One write to the key/value store; for `cas` and `deleteCAS`, `entry.indexes.modify` is the index
/// to match.
package struct KeyValueCommand: Hashable, Sendable {
    package var operation: KeyValueOperation
    package var entry: KeyValueEntry

    package init(operation: KeyValueOperation, entry: KeyValueEntry) {
        self.operation = operation
        self.entry = entry
    }
}

/// Creates or ends a session.
package enum SessionCommand: Hashable, Sendable {
    case create(Session)
    case destroy(id: String)
}

/// What a transaction does to a node, service or check; raw values are the wire's.
package enum CatalogOperation: String, Hashable, Sendable {
    case get
    case set
    case cas
    case delete
    case deleteCAS = "delete-cas"
}

/// One step of a transaction.
///
/// - Source: Consul: PUT /v1/txn.
package enum TransactionOperation: Hashable, Sendable {
    case keyValue(KeyValueOperation, KeyValueEntry)
    case node(CatalogOperation, Node)
    case service(CatalogOperation, node: String, CatalogService)
    case check(CatalogOperation, HealthCheck)
}

/// Replaces the autopilot configuration, conditionally when `casIndex` is set.
package struct AutopilotCommand: Hashable, Sendable {
    package var configuration: AutopilotConfiguration
    package var casIndex: LogIndex?

    package init(configuration: AutopilotConfiguration, casIndex: LogIndex?) {
        self.configuration = configuration
        self.casIndex = casIndex
    }
}

/// How the servers look after themselves.
///
/// - Source: Consul: GET /v1/operator/autopilot/configuration; Raft sheet §9.
package struct AutopilotConfiguration: Hashable, Sendable {
    package var cleanupDeadServers: Bool = true
    package var lastContactThreshold = Nanoseconds.milliseconds(200)
    package var maxTrailingLogs: UInt64 = 250
    package var minQuorum: UInt64 = 0
    package var serverStabilizationTime = Nanoseconds.seconds(10)
    package var redundancyZoneTag: String = ""
    package var disableUpgradeMigration: Bool = false
    package var upgradeVersionTag: String = ""
    package var indexes = RecordIndexes()

    package init() {}
}
