import Logging
import MusterAPI
import MusterBalancing
import MusterDiscovery
import ServiceLifecycle

/// Whatever server an application runs.
protocol Server: Service {
    func waitUntilListening() async throws -> Int
}

/// The registration's article: a server that registers itself.
func runRegistered(_ server: some Server) async throws {
    let registry = try MusterClient(configuration: .fromEnvironment())
    let registrar = ServiceRegistrar(
        ServiceRegistration(
            name: "orders",
            tags: ["v2"],
            meta: ["zone": "eu-1a"],
            weights: ServiceWeights(passing: 10, warning: 1)
        ),
        client: registry,
        readiness: { $0.port = try await server.waitUntilListening() }
    )
    // Stopped last first: callers are sent elsewhere before the server closes.
    let group = ServiceGroup(
        services: [server, registrar],
        gracefulShutdownSignals: [.sigterm],
        logger: Logger(label: "orders")
    )
    try await group.run()
    try await registry.shutdown()
}

/// Health that the application knows itself.
func registerWithHealth(_ registry: MusterClient, queueLength: @escaping @Sendable () -> Int) {
    var settings = ServiceRegistrar.Configuration()
    settings.ttl = .seconds(10)
    settings.deregisterAfter = .seconds(300)
    settings.drainDelay = .seconds(3)
    let registrar = ServiceRegistrar(
        ServiceRegistration(id: "orders-1", name: "orders", port: 8080),
        client: registry,
        configuration: settings,
        health: { queueLength() > 1000 ? .warning : .passing }
    )
    registrar.update { $0.tags = ["v2", "canary"] }
    registrar.setMaintenance(true, reason: "database migration")
}

/// Health that the agent finds out.
func registerWithHTTPCheck(_ registry: MusterClient) -> ServiceRegistrar {
    var settings = ServiceRegistrar.Configuration()
    settings.ttl = nil
    return ServiceRegistrar(
        ServiceRegistration(
            name: "orders",
            port: 8080,
            check: .http("http://127.0.0.1:8080/health", every: .seconds(5))
        ),
        client: registry,
        configuration: settings
    )
}
