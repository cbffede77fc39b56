/// The state of one check, as the catalog keeps it.
///
/// - Source: Consul: GET /v1/health/node/:node; RPC sheet §7 "HealthCheck".
package struct HealthCheck: Hashable, Sendable {
    package var node: String = ""
    /// Unique on its node.
    package var id: String = ""
    package var name: String = ""
    package var status: CheckStatus = .critical
    package var notes: String = ""
    package var output: String = ""
    /// Empty for a check of the node itself.
    package var serviceID: String = ""
    package var serviceName: String = ""
    package var serviceTags: [String]?
    /// `ttl`, `http`, `tcp`, `script`, `alias`, …; empty when registered through the catalog.
    package var type: String = ""
    package var definition = HealthCheckDefinition()
    package var indexes = RecordIndexes()

    package init() {}
}

/// The verdict of a check; raw values are the wire's.
///
/// Anything may be registered through the catalog; only the three named values count as healthy,
/// doubtful or failed.
package struct CheckStatus: RawRepresentable, Hashable, Sendable {
    package var rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    package static let passing = CheckStatus(rawValue: "passing")
    package static let warning = CheckStatus(rawValue: "warning")
    package static let critical = CheckStatus(rawValue: "critical")
    /// Only in replies: an instance or node whose maintenance check exists.
    package static let maintenance = CheckStatus(rawValue: "maintenance")

    /// True for passing, warning and critical.
    package var isValid: Bool {
        self == .passing || self == .warning || self == .critical
    }
}

/// How a check is run, as far as the catalog stores it.
///
/// - Source: Consul: RPC sheet §7 "Definition" (18 keys); JSON shows the subset that is set.
package struct HealthCheckDefinition: Hashable, Sendable {
    package var http: String = ""
    package var tlsSkipVerify: Bool = false
    package var header: [String: [String]]?
    package var method: String = ""
    package var body: String = ""
    package var tcp: String = ""
    package var interval = Nanoseconds.zero
    package var outputMaxSize: Int = 0
    package var timeout = Nanoseconds.zero
    package var deregisterCriticalServiceAfter = Nanoseconds.zero
    package var scriptArguments: [String]?
    package var dockerContainerID: String = ""
    package var shell: String = ""
    package var grpc: String = ""
    package var grpcUseTLS: Bool = false
    package var aliasNode: String = ""
    package var aliasService: String = ""
    package var ttl = Nanoseconds.zero

    package init() {}
}

/// The check identifiers that stand for maintenance mode.
///
/// - Source: Consul: `_node_maintenance`, `_service_maintenance:<id>`.
package enum MaintenanceCheck {
    package static let node = "_node_maintenance"
    package static let servicePrefix = "_service_maintenance:"
}
