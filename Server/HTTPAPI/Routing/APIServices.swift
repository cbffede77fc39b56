package import Logging
package import Replica

/// What all handlers share; immutable, made when the server starts.
package final class APIServices: Sendable {
    package let settings: HTTPSettings
    package let replica: Replica
    package let agent: any AgentPort
    /// Nil where snapshots are not served: its routes say so.
    package let snapshots: (any SnapshotPort)?
    package let authorizer: Authorizer
    package let logger: Logger
    let cachedQueries: CachedQueries
    /// When the agent started, as `2006-01-02T15:04:05Z`.
    let startedAt: String

    package init(
        settings: HTTPSettings,
        replica: Replica,
        agent: any AgentPort,
        snapshots: (any SnapshotPort)? = nil,
        authorizer: Authorizer = Authorizer(),
        logger: Logger
    ) {
        self.settings = settings
        self.replica = replica
        self.agent = agent
        self.snapshots = snapshots
        self.authorizer = authorizer
        self.logger = logger
        startedAt = HTTPDate.timestamp()
        cachedQueries = CachedQueries(limit: settings.limits.rememberedCachedQueries)
    }

    package var limits: HTTPLimits { settings.limits }
}
