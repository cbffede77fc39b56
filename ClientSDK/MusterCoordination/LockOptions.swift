public import Logging
public import Metrics
public import MusterAPI

/// How a lock or a semaphore is taken and held.
public struct LockOptions: Sendable {
    /// What becomes of the key when its session ends.
    public enum Behavior: String, Hashable, Sendable {
        /// The key stays and is free.
        case release
        /// The key is deleted; also after an orderly release.
        case delete
    }

    /// What is written into the key for whoever wants to know who holds it.
    public var value: [UInt8] = []

    /// How long to try; nil is without end, zero takes what is free at once.
    public var timeout: Duration?

    /// Within what time the session must be renewed; it is at half of that.
    ///
    /// Default 15 seconds. Consul accepts 10 seconds to a day, and may end a session up to twice
    /// as late; ownership is given up here on time.
    public var sessionTTL = Duration.seconds(15)

    /// The session's name for people.
    public var sessionName = "Muster lock"

    /// How long the registry keeps a lock closed whose holder vanished.
    ///
    /// Default 15 seconds, Consul's; it bounds how late a vanished holder's last write may come.
    public var lockDelay = Duration.seconds(15)

    /// What becomes of the key when the session ends; of a lock only.
    public var behavior = Behavior.release

    /// How long to wait, give or take a tenth, when the lock is free but still kept closed.
    ///
    /// Default 5 seconds: the registry tells nobody when the lock's delay is over.
    public var delayRetry = Duration.seconds(5)

    /// How long one blocking query on the key waits.
    ///
    /// Default 15 seconds.
    public var wait = Duration.seconds(15)

    /// The datacenter of the key; nil is the agent's own.
    public var datacenter: String?

    /// The token to use, instead of the client's.
    public var token: String?

    /// What the time is taken from.
    public var clock = TimeSource.system

    /// Where events go.
    public var logger = Logger(label: "muster.lock")

    /// Where counts go: `coordination_acquired` and `coordination_lost`, by key.
    public var metrics: any MetricsFactory = MetricsSystem.factory

    /// Makes the default options.
    public init() {}

    var queryOptions: QueryOptions {
        QueryOptions(datacenter: datacenter, consistency: .consistent, token: token)
    }

    var writeOptions: WriteOptions { WriteOptions(datacenter: datacenter, token: token) }

    var querySettings: BlockingQuery.Settings {
        var settings = BlockingQuery.Settings()
        settings.wait = wait
        settings.backoffBase = Limits.backoffBase
        settings.backoffCap = Limits.longestBackoff
        settings.burst = Limits.queryBurst
        settings.refill = Limits.queryDistance
        settings.slowest = Limits.longestQueryDistance
        return settings
    }
}
