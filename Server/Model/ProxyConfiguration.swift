/// The `Proxy` part of a service of a proxy kind.
///
/// - Source: Consul: docs/connect/registration/service-registration; RPC sheet §7 "Proxy".
package struct ProxyConfiguration: Hashable, Sendable {
    package var destinationServiceName: String = ""
    package var destinationServiceID: String = ""
    package var localServiceAddress: String = ""
    package var localServicePort: Int = 0
    /// Opaque settings of the proxy; nil when absent.
    package var config: [String: JSONValue]?
    package var upstreams: [Upstream]?
    package var meshGatewayMode: String = ""
    package var expose = ExposeConfiguration()

    package init() {}
}

/// A service that a proxy lets its application reach on a local port.
package struct Upstream: Hashable, Sendable {
    /// `service` or `prepared_query`.
    package var destinationType: String = ""
    package var destinationNamespace: String = ""
    package var destinationName: String = ""
    package var datacenter: String = ""
    package var localBindAddress: String = ""
    package var localBindPort: Int = 0
    package var config: [String: JSONValue]?
    package var meshGatewayMode: String = ""
    package var ingressHosts: [String]?

    package init() {}
}

/// Plain-text listeners that a proxy opens for checks and metrics.
package struct ExposeConfiguration: Hashable, Sendable {
    package var checks: Bool = false
    package var paths: [ExposePath]?

    package init() {}
}

/// One path of `ExposeConfiguration`.
package struct ExposePath: Hashable, Sendable {
    package var listenerPort: Int = 0
    package var path: String = ""
    package var localPathPort: Int = 0
    /// `http` or `http2`.
    package var protocolName: String = ""
    package var parsedFromCheck: Bool = false

    package init() {}
}
