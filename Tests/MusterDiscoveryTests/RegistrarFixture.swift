import CoreMetrics
import Logging
import MusterAPI
import MusterBalancing
import MusterDiscovery
import MusterTesting

/// What a registrar asks of the agent for the instance `web-1`.
enum AgentPath {
    static let register = "/v1/agent/service/register"
    static let health = "/v1/agent/health/service/id/"
    static let pass = "/v1/agent/check/pass/service:web-1:heartbeat"
    static let deregister = "/v1/agent/service/deregister/web-1"
    static let maintenance = "/v1/agent/service/maintenance/web-1"
}

/// When the beat after the one at the start is due.
let nextBeat = Duration.milliseconds(4500)...Duration.milliseconds(5500)

/// A registrar's surroundings under the test's control.
struct RegistrarFixture {
    let registry: ScriptedRegistry
    let registrar: ServiceRegistrar
    let client: MusterClient
    let time: ManualClock
    let running: Task<Void, any Error>

    /// Takes the registration and the first beat, and waits until the registrar rests.
    func settle() async {
        await registry.next(AgentPath.register).answer()
        await registry.next(AgentPath.pass).answer()
        _ = await time.sleeper(within: nextBeat)
    }
}

/// Runs a registrar against a scripted agent that knows no instance at first.
func withRegistrar(
    _ configure: (inout ServiceRegistrar.Configuration) -> Void = { _ in },
    checks: [CheckDefinition] = [],
    applicationChecks: [ApplicationCheck] = [],
    readiness: (@Sendable (inout ServiceRegistration) async throws -> Void)? = nil,
    health status: (@Sendable () async -> Health)? = nil,
    metrics: any MetricsFactory = NOOPMetricsHandler.instance,
    run: @escaping @Sendable (ServiceRegistrar) async throws -> Void = { try await $0.run() },
    _ body: (RegistrarFixture) async throws -> Void
) async throws {
    let registry = ScriptedRegistry()
    let port = try await registry.start()
    registry.answer(AgentPath.health) { _ in ScriptedReply(404) }
    let time = ManualClock()
    var configuration = ServiceRegistrar.Configuration()
    configuration.clock = time.source
    configuration.seed = 1
    configure(&configuration)
    let address = RegistryAddress.http(host: "127.0.0.1", port: port)
    try await MusterClient.withClient(ClientConfiguration(address: address)) { client in
        let registrar = ServiceRegistrar(
            ServiceRegistration(id: "web-1", name: "web", port: 80, checks: checks),
            client: client,
            configuration: configuration,
            applicationChecks: applicationChecks,
            readiness: readiness,
            health: status,
            logger: silent,
            metrics: metrics
        )
        let running = Task { try await run(registrar) }
        let fixture = RegistrarFixture(
            registry: registry,
            registrar: registrar,
            client: client,
            time: time,
            running: running
        )
        try await body(fixture)
        registry.answer("/") { _ in ScriptedReply() }
        running.cancel()
        // What is still held back would only be let go by the clock, which nobody moves any more.
        time.advance(by: .seconds(60))
        _ = await running.result
    }
    try await registry.stop()
}

extension RegistrarTests {
    /// The fixture taken apart, for tests that need most of it.
    func withRegistrar(
        _ configure: (inout ServiceRegistrar.Configuration) -> Void = { _ in },
        readiness: (@Sendable (inout ServiceRegistration) async throws -> Void)? = nil,
        health status: (@Sendable () async -> Health)? = nil,
        _ body: (ScriptedRegistry, ServiceRegistrar, ManualClock, Task<Void, any Error>)
            async throws -> Void
    ) async throws {
        try await MusterDiscoveryTests.withRegistrar(
            configure,
            readiness: readiness,
            health: status
        ) { try await body($0.registry, $0.registrar, $0.time, $0.running) }
    }
}
