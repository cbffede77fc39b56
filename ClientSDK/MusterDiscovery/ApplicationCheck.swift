public import MusterAPI
public import MusterBalancing

/// A check that the application itself reports at each heartbeat, beside the registrar's own.
///
/// Use one for each thing that callers or operators want to see apart, as a database or a queue;
/// the instance is as healthy as its worst check. Checks that the agent runs itself (HTTP, TCP,
/// gRPC) belong into the registration's `checks`.
public struct ApplicationCheck: Sendable {
    /// Its name for people; distinct within one instance, because its id is made of it.
    public var name: String

    /// How long a report counts.
    public var ttl: Duration

    /// After how long without reports, or critical, the agent removes the instance; nil is never.
    ///
    /// Consul waits at least a minute.
    public var deregisterAfter: Duration?

    /// Its state until the first report, which follows the registration at once.
    public var initialStatus: CheckStatus

    /// Says how it is; called at each heartbeat and expected to return soon.
    public var health: @Sendable () async -> Health

    /// Makes a check.
    public init(
        name: String,
        ttl: Duration = .seconds(15),
        deregisterAfter: Duration? = nil,
        initialStatus: CheckStatus = .critical,
        health: @escaping @Sendable () async -> Health
    ) {
        self.name = name
        self.ttl = ttl
        self.deregisterAfter = deregisterAfter
        self.initialStatus = initialStatus
        self.health = health
    }
}

/// An application check of one instance, with the id the agent knows it by.
struct ReportedCheck: Sendable {
    let id: String
    let check: ApplicationCheck

    /// What the agent is told; `status` holds until the next report.
    func definition(status: CheckStatus) -> CheckDefinition {
        var definition = CheckDefinition.ttl(check.ttl, deregisterAfter: check.deregisterAfter)
        definition.id = id
        definition.name = check.name
        definition.status = status
        return definition
    }

    /// What is reported for a health.
    static func status(of health: Health) -> CheckStatus {
        switch health {
        case .passing: .passing
        case .warning: .warning
        case .critical, .maintenance: .critical
        }
    }

    /// What a report says.
    ///
    /// The same text for the same status, always: the agent writes a changed one to the catalog,
    /// which wakes everyone who watches the service.
    ///
    /// - Source: Consul: agent/local/state.go, UpdateCheck; hashicorp/consul#1244.
    static func output(of status: CheckStatus) -> String {
        switch status {
        case .passing: "The application reports that it is passing"
        case .warning: "The application reports a warning"
        default: "The application reports that it is critical"
        }
    }
}
