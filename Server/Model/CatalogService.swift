/// One instance of a service on a node, as the catalog and the agents keep it (Consul's
/// `NodeService`).
///
/// - Source: Consul: GET /v1/health/service/:service; RPC sheet §7 "NodeService".
package struct CatalogService: Hashable, Sendable {
    package var kind: ServiceKind = .typical
    /// Unique on its node; the name when the registration gave none.
    package var id: String = ""
    package var name: String = ""
    package var tags: [String]?
    /// Empty means the node's address.
    package var address: String = ""
    package var taggedAddresses: [String: ServiceAddress]?
    package var meta: [String: String]?
    package var port: Int = 0
    /// Nil where a registration came without weights; replies then show 1 and 1.
    package var weights: Weights?
    package var enableTagOverride: Bool = false
    package var proxy = ProxyConfiguration()
    package var connect = ServiceConnect()
    /// True for a sidecar that its parent service's registration expanded to.
    package var locallyRegisteredAsSidecar: Bool = false
    package var indexes = RecordIndexes()

    package init() {}
}

/// What a service instance is for in the mesh; raw values are the wire's.
package struct ServiceKind: RawRepresentable, Hashable, Sendable {
    package var rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    package static let typical = ServiceKind(rawValue: "")
    package static let connectProxy = ServiceKind(rawValue: "connect-proxy")
    package static let meshGateway = ServiceKind(rawValue: "mesh-gateway")
    package static let terminatingGateway = ServiceKind(rawValue: "terminating-gateway")
    package static let ingressGateway = ServiceKind(rawValue: "ingress-gateway")
}

/// An address and port under a name such as `lan` or `wan`.
package struct ServiceAddress: Hashable, Sendable {
    package var address: String = ""
    package var port: Int = 0

    package init() {}
}

/// Load-balancing weights of an instance by its health, as DNS SRV and the SDK use them.
package struct Weights: Hashable, Sendable {
    package var passing: Int = 1
    package var warning: Int = 1

    package init(passing: Int = 1, warning: Int = 1) {
        self.passing = passing
        self.warning = warning
    }
}

/// What an instance says about the mesh: native, or with a sidecar to be registered beside it.
package struct ServiceConnect: Hashable, Sendable {
    package var native: Bool = false
    /// Present in registrations only; expanded by the agent, never stored in the catalog.
    package var sidecarService: Box<ServiceRegistration>?

    package init() {}
}
