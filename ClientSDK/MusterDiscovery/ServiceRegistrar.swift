public import Logging
public import MusterAPI
public import MusterBalancing
public import ServiceLifecycle
import Synchronization

/// Registers an instance, keeps it registered, and takes it out at the end.
///
/// Put it behind the server in a `ServiceGroup`: groups stop their services last first, so the
/// instance leaves the registry, and its callers, before the server stops listening.
///
/// What is wanted (registration, maintenance) is state here, and ``run()`` brings the agent in
/// line with it as soon as the agent answers; a restarted agent is told again.
public final class ServiceRegistrar: Service {
    /// How a registrar behaves.
    public struct Configuration: Sendable {
        /// How long the instance counts as alive after a heartbeat.
        ///
        /// Default 15 seconds; nil sends no heartbeats, for registrations whose checks the agent
        /// runs itself.
        public var ttl: Duration? = .seconds(15)

        /// After how long without heartbeats the agent removes the instance.
        ///
        /// Default nil: it stays, critical. Consul waits at least a minute.
        public var deregisterAfter: Duration?

        /// How long callers get, after the instance has left the registry, to stop calling it.
        ///
        /// Default 5 seconds.
        public var drainDelay = Duration.seconds(5)

        /// How often the agent is asked whether it still knows the instance, without heartbeats.
        ///
        /// The question comes after a third of this time. Default 30 seconds.
        public var reassertInterval = Duration.seconds(30)

        /// What the time is taken from.
        public var clock = TimeSource.system

        /// Where random waits start; nil draws it from the system once.
        public var seed: UInt64?

        /// Makes the default configuration.
        public init() {}
    }

    struct State {
        var registration: ServiceRegistration
        var maintenance = false
        var reason = ""
        var core: RegistrarCore
        /// Whether the agent may know the instance.
        var mayBeRegistered = false
        /// Whether callers may know it.
        var wasRegistered = false
    }

    /// The instance's id on its agent.
    public let serviceID: String

    let client: MusterClient
    let configuration: Configuration
    let readiness: (@Sendable (inout ServiceRegistration) async throws -> Void)?
    let health: (@Sendable () async -> Health)?
    let logger: Logger
    let state: Mutex<State>
    let changed = Doorbell()

    /// Makes a registrar; nothing is sent before ``run()``.
    ///
    /// - Parameters:
    ///   - registration: The instance. The heartbeat's check is added to its checks.
    ///   - client: A client of the agent on the instance's own machine.
    ///   - configuration: How the registrar behaves.
    ///   - readiness: Returns when the instance can take calls, and may fill in what is only known
    ///     then, like the port; nil registers at once. What it throws ends ``run()``.
    ///   - health: Says how the instance is, at each heartbeat; nil always says passing.
    ///   - logger: Where events go.
    public init(
        _ registration: ServiceRegistration,
        client: MusterClient,
        configuration: Configuration = Configuration(),
        readiness: (@Sendable (inout ServiceRegistration) async throws -> Void)? = nil,
        health: (@Sendable () async -> Health)? = nil,
        logger: Logger = Logger(label: "muster.registrar")
    ) {
        var registration = registration
        serviceID = registration.effectiveID
        registration.id = serviceID
        if let ttl = configuration.ttl {
            var check = CheckDefinition.ttl(ttl, deregisterAfter: configuration.deregisterAfter)
            check.id = Self.checkID(of: serviceID)
            check.name = "Heartbeat of \(serviceID)"
            check.status = .critical
            registration.checks.append(check)
        }
        self.client = client
        self.configuration = configuration
        self.readiness = readiness
        self.health = health
        self.logger = logger
        var system = SystemRandomNumberGenerator()
        let core = RegistrarCore(
            period: configuration.ttl ?? configuration.reassertInterval,
            seed: configuration.seed ?? system.next()
        )
        state = Mutex(State(registration: registration, core: core))
    }

    /// What the agent is told about the instance.
    public var registration: ServiceRegistration { state.withLock(\.registration) }

    /// Changes tags, metadata, weights or address; the agent is told as soon as it answers.
    ///
    /// Id and name stay as they are.
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

    /// The id of the heartbeat's check.
    static func checkID(of serviceID: String) -> String { "service:\(serviceID):heartbeat" }
}
