/// What an application sends to its agent to register a service.
///
/// - Source: Consul: PUT /v1/agent/service/register.
package struct ServiceRegistration: Hashable, Sendable {
    package var kind: ServiceKind = .typical
    package var id: String = ""
    package var name: String = ""
    package var tags: [String]?
    package var address: String = ""
    package var taggedAddresses: [String: ServiceAddress]?
    package var meta: [String: String]?
    package var port: Int = 0
    package var check: CheckRegistration?
    package var checks: [CheckRegistration] = []
    package var weights: Weights?
    package var token: String = ""
    package var enableTagOverride: Bool = false
    package var proxy: ProxyConfiguration?
    package var connect: ServiceConnect?

    package init() {}
}

/// What an application sends to its agent to have something checked (Consul's `CheckType`).
///
/// - Source: Consul: PUT /v1/agent/check/register.
package struct CheckRegistration: Hashable, Sendable {
    package var id: String = ""
    package var name: String = ""
    /// Only for checks that are registered on their own.
    package var serviceID: String = ""
    package var token: String = ""
    /// The initial status; empty means critical (passing for alias checks).
    package var status: String = ""
    package var notes: String = ""
    package var scriptArguments: [String] = []
    package var http: String = ""
    package var header: [String: [String]]?
    package var method: String = ""
    package var body: String = ""
    package var tcp: String = ""
    package var interval = Nanoseconds.zero
    package var aliasNode: String = ""
    package var aliasService: String = ""
    package var dockerContainerID: String = ""
    package var shell: String = ""
    package var grpc: String = ""
    package var grpcUseTLS: Bool = false
    package var tlsSkipVerify: Bool = false
    package var timeout = Nanoseconds.zero
    package var ttl = Nanoseconds.zero
    package var successBeforePassing: Int = 0
    package var failuresBeforeCritical: Int = 0
    package var proxyHTTP: String = ""
    package var proxyGRPC: String = ""
    package var deregisterCriticalServiceAfter = Nanoseconds.zero
    package var outputMaxSize: Int = 0

    package init() {}
}
