package import Model
package import NIOCore

/// What bounds the agent, and what happens at each bound.
package struct AgentLimits: Sendable {
    /// How long an answer waits for the catalog to learn of a change; then it is given without.
    package var syncWait = TimeAmount.milliseconds(250)
    /// How often the catalog is compared with what is registered here.
    ///
    /// - Source: Consul: docs/internals/anti-entropy.
    package var antiEntropyInterval = TimeAmount.seconds(60)
    /// How long after its start the agent tells the catalog its coordinate, at most twice this.
    ///
    /// - Source: Consul: `SyncCoordinateIntervalMin`.
    package var coordinateDelay = TimeAmount.seconds(15)
    /// Between attempts to reach the catalog: the first, and the longest.
    package var firstRetry = TimeAmount.milliseconds(500)
    package var lastRetry = TimeAmount.seconds(15)
    /// Reads of one service that wait for its change; a further one is answered at once.
    package var serviceWatches = 4096
    /// Events that are kept; the oldest gives way.
    ///
    /// - Source: Consul: docs/commands/event.
    package var keptEvents = 256
    /// Reads of events that wait; a further one is answered at once.
    package var eventWatches = 4096
    /// Bytes of one configuration file; a larger one is refused.
    package var configurationFileBytes = 16 << 20
    /// Files of one configuration directory; more are refused.
    package var configurationFiles = 10_000
    /// Bytes of one file of certificates; a larger one is refused.
    package var certificateFileBytes = 4 << 20
    /// Files below `ca_path`; more are refused.
    package var authorityFiles = 4096
    /// Servers that may be expected to form a cluster; more are refused.
    package var servers = 64
    /// Addresses to join by; more are refused.
    package var joinAddresses = 256

    /// How long a server may leave the leader without an answer before its check says so.
    package var silence = Nanoseconds.seconds(5)

    package init() {}
}
