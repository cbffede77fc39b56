/// One instance of a service with its node and the checks of both.
///
/// - Source: Consul: GET /v1/health/service/:service
public struct ServiceEntry: Codable, Hashable, Sendable {
    /// Its node.
    public var node: CatalogNode

    /// The instance.
    public var service: AgentService

    /// The checks of the node and of the instance.
    public var checks: [HealthCheck]

    private enum CodingKeys: String, CodingKey {
        case node = "Node"
        case service = "Service"
        case checks = "Checks"
    }

    /// Makes the value; what is left out is empty.
    public init(
        node: CatalogNode = CatalogNode(node: "", address: ""),
        service: AgentService = AgentService(),
        checks: [HealthCheck] = []
    ) {
        self.node = node
        self.service = service
        self.checks = checks
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        node = try members.value(.node, or: CatalogNode(node: "", address: ""))
        service = try members.value(.service, or: AgentService())
        checks = try members.value(.checks, or: [])
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(node, forKey: .node)
        try members.encode(service, forKey: .service)
        try members.encode(checks, forKey: .checks)
    }
}

extension ServiceEntry {
    /// The worst state of all its checks: maintenance, critical, warning, passing.
    public var aggregatedStatus: CheckStatus {
        var worst = CheckStatus.Severity.passing
        for check in checks {
            if HealthCheck.isMaintenance(checkID: check.checkID) { return .maintenance }
            switch check.status {
            case .passing: continue
            case .warning: worst = max(worst, .warning)
            default: worst = .critical
            }
        }
        return worst.status
    }
}
