public import MusterAPI

extension ServiceRegistrar {
    /// How an instance leaves when its group shuts down gracefully.
    public enum Drain: Hashable, Sendable {
        /// It is deregistered, and then stays up for the drain delay.
        case deregister
        /// It is put into maintenance with this reason, stays up for the drain delay, and is then
        /// deregistered: operators see why it takes no calls meanwhile.
        case maintenance(reason: String)
    }

    /// How a registrar behaves.
    public struct Configuration: Sendable {
        /// How long the instance counts as alive after a heartbeat.
        ///
        /// Default 15 seconds; nil sends no heartbeats, for registrations whose checks the agent
        /// runs itself.
        public var ttl: Duration? = .seconds(15)

        /// After how long without heartbeats, or critical, the agent removes the instance.
        ///
        /// Default nil: it stays, critical. Consul waits at least a minute.
        public var deregisterAfter: Duration?

        /// The heartbeat's state until the first beat, which follows the registration at once.
        ///
        /// Default critical: nobody is sent to an instance that has not yet said that it lives.
        public var initialStatus = CheckStatus.critical

        /// How the instance leaves on graceful shutdown.
        ///
        /// Default ``Drain/deregister``.
        public var drain = Drain.deregister

        /// How long callers get, after the instance has left the registry, to stop calling it.
        ///
        /// Default 5 seconds; more than what a change takes to reach the slowest caller.
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
}
