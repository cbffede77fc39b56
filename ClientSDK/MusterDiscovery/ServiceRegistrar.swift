public import Logging
public import Metrics
public import MusterAPI
public import MusterBalancing
public import ServiceLifecycle
import Synchronization

/// Registers an instance, keeps it registered, and takes it out at the end.
///
/// Put it behind the server in a `ServiceGroup`: groups stop their services last first, so the
/// instance leaves the registry, and its callers, before the server stops listening. A process
/// that offers several services has a registrar for each; they may share a client.
///
/// What is wanted (registration, maintenance) is state here, and ``run()`` brings the agent in
/// line with it as soon as the agent answers; a restarted agent is told again. The registrar is
/// alive as long as the application: an agent that is absent, slow or failing is tried again.
public final class ServiceRegistrar: Service {
    struct State {
        /// What is wanted, application checks aside.
        var registration: ServiceRegistration
        /// What the agent took last, nil before the first time.
        var accepted: ServiceRegistration?
        var maintenance = false
        var reason = ""
        var core: RegistrarCore
        /// Whether the agent may know the instance.
        var mayBeRegistered = false
        /// What was reported last, by check id.
        var reported: [String: CheckStatus] = [:]
    }

    /// The instance's id on its agent.
    public let serviceID: String

    let client: MusterClient
    let configuration: Configuration
    let readiness: (@Sendable (inout ServiceRegistration) async throws -> Void)?
    let reportedChecks: [ReportedCheck]
    let logger: Logger
    let metrics: RegistrarMetrics
    let state: Mutex<State>
    let changed = Doorbell()

    /// Makes a registrar; nothing is sent before ``run()``.
    ///
    /// - Parameters:
    ///   - registration: The instance. The checks that the agent runs (HTTP, TCP, gRPC) are in it;
    ///     the application's own are added.
    ///   - client: A client of the agent on the instance's own machine.
    ///   - configuration: How the registrar behaves.
    ///   - applicationChecks: What the application reports beside the heartbeat.
    ///   - readiness: Returns when the instance can take calls, and may fill in what is only known
    ///     then, like the port; nil registers at once. What it throws ends ``run()``.
    ///   - health: Says how the instance is, at each heartbeat, and is expected to return soon and
    ///     to heed cancellation; nil always says passing.
    ///   - logger: Where events go.
    ///   - metrics: Where counts go: `registration_heartbeats`, `registration_reregistrations` and
    ///     `registration_refused`.
    public init(
        _ registration: ServiceRegistration,
        client: MusterClient,
        configuration: Configuration = Configuration(),
        applicationChecks: [ApplicationCheck] = [],
        readiness: (@Sendable (inout ServiceRegistration) async throws -> Void)? = nil,
        health: (@Sendable () async -> Health)? = nil,
        logger: Logger = Logger(label: "muster.registrar"),
        metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        var registration = registration
        serviceID = registration.effectiveID
        registration.id = serviceID
        reportedChecks = Self.reportedChecks(
            of: serviceID,
            configuration: configuration,
            applicationChecks: applicationChecks,
            health: health
        )
        self.client = client
        self.configuration = configuration
        self.readiness = readiness
        self.logger = logger
        self.metrics = RegistrarMetrics(service: registration.name, factory: metrics)
        var system = SystemRandomNumberGenerator()
        let core = RegistrarCore(
            period: reportedChecks.map(\.check.ttl).min() ?? configuration.reassertInterval,
            seed: configuration.seed ?? system.next()
        )
        state = Mutex(State(registration: registration, core: core))
    }

    /// What is wanted of the agent, the application's checks aside.
    public var registration: ServiceRegistration { state.withLock(\.registration) }

    /// Whether the agent has taken the registration, is not known to have forgotten it, and was not
    /// told to.
    public var isRegistered: Bool { state.withLock { $0.core.isRegistered } }

    /// Changes tags, metadata, weights, address or checks; the agent is told as soon as it answers.
    ///
    /// Id and name stay as they are, and so does the health that callers see. A change that the
    /// agent refuses is logged and taken back: the instance stays registered as it was.
    public func update(_ change: (inout ServiceRegistration) -> Void) {
        state.withLock { state in
            let name = state.registration.name
            change(&state.registration)
            state.registration.id = serviceID
            state.registration.name = name
            state.core.changed()
        }
        changed.ring()
    }

    /// Takes the instance out of service or puts it back; the agent is told as soon as it answers.
    ///
    /// It stays out of service also when the agent is restarted.
    public func setMaintenance(_ enabled: Bool, reason: String = "") {
        state.withLock { state in
            state.maintenance = enabled
            state.reason = reason
            state.core.maintenanceChanged()
        }
        changed.ring()
    }

    /// Everything that is reported at each heartbeat.
    private static func reportedChecks(
        of serviceID: String,
        configuration: Configuration,
        applicationChecks: [ApplicationCheck],
        health: (@Sendable () async -> Health)?
    ) -> [ReportedCheck] {
        var checks: [ReportedCheck] = []
        if let ttl = configuration.ttl {
            let heartbeat = ApplicationCheck(
                name: "Heartbeat of \(serviceID)",
                ttl: ttl,
                deregisterAfter: configuration.deregisterAfter,
                initialStatus: configuration.initialStatus,
                health: health ?? { .passing }
            )
            checks.append(ReportedCheck(id: "service:\(serviceID):heartbeat", check: heartbeat))
        }
        for check in applicationChecks {
            checks.append(ReportedCheck(id: "service:\(serviceID):\(check.name)", check: check))
        }
        return checks
    }
}
