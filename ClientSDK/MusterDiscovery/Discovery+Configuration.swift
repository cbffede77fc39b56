public import MusterAPI

extension Discovery {
    /// How a discovery behaves.
    public struct Configuration: Sendable {
        /// How long a blocking query waits.
        ///
        /// Longer means fewer requests and later notice of a dead connection: one that says
        /// nothing for a sixteenth more than this, and ten seconds, counts as lost. Default 60
        /// seconds.
        public var wait = Duration.seconds(60)

        /// How far apart two answers are when the list changes all the time.
        ///
        /// The first changes are seen at once, then one per second, then more and more rarely.
        /// Default 12 seconds; less sees changes sooner and asks more of the registry, up to once
        /// per second.
        public var slowestRefresh = Duration.seconds(12)

        /// How long an empty answer is held back after a list that was not empty.
        ///
        /// Default 30 seconds; zero believes it at once.
        public var emptyHold = Duration.seconds(30)

        /// The share of the instances that one answer may remove just after the registry failed.
        ///
        /// A restarted registry may not have heard of everyone yet: beyond this share, instances
        /// stay in use for ``settling``. New instances count at once. Default 0.2; 1 believes every
        /// answer.
        public var removalShare = 0.2

        /// How long a registry that answers again must do so before every removal is believed.
        ///
        /// Default 30 seconds.
        public var settling = Duration.seconds(30)

        /// How long a datacenter may fail before the query's next one takes its place.
        ///
        /// One that answers, and has no healthy instance, is replaced at once. Default 10 seconds.
        public var failover = Duration.seconds(10)

        /// How long a better datacenter must serve again before it gets its place back.
        ///
        /// Default 10 seconds.
        public var failback = Duration.seconds(10)

        /// How long a watch goes on without anyone who wants it.
        ///
        /// Default 30 seconds.
        public var linger = Duration.seconds(30)

        /// How long a lookup waits for the registry's first answer.
        ///
        /// Default 5 seconds.
        public var firstAnswerTimeout = Duration.seconds(5)

        /// How many distinct queries are watched at most.
        ///
        /// Default 2048; a further one fails.
        public var maximumWatches = Limits.watches

        /// Where the instances are kept for a start without a registry; nil keeps them nowhere.
        ///
        /// A directory for one registry; it is created when missing. Several processes may share
        /// it: one of them writes, all read. When the registry has not answered a query a second
        /// after its watch began, the kept list serves; its snapshot's origin is then `disk(age:)`.
        /// Tokens are never written. Default nil.
        public var snapshotDirectory: String?

        /// How long ago a kept list may have been confirmed for the last time.
        ///
        /// Default three days; an older one is not used.
        public var snapshotMaximumAge = Duration.seconds(3 * 24 * 3600)

        /// What the time is taken from.
        public var clock = TimeSource.system

        /// The time of day, for the age of kept lists.
        package var wallClock = WallClock.system

        /// Where random waits start; nil draws it from the system once.
        public var seed: UInt64?

        /// Whether watches ask nobody and show what is published by hand; for tests.
        package var isOffline = false

        /// Makes the default configuration.
        public init() {}

        func watchSettings(delay: Duration) -> WatchCore.Settings {
            var settings = WatchCore.Settings()
            settings.source.asking.wait = wait
            settings.source.asking.slowest = slowestRefresh
            settings.source.emptyHold = emptyHold
            settings.source.removalShare = min(1, max(0, removalShare))
            settings.source.settling = settling
            settings.failover = failover
            settings.failback = failback
            settings.delay = delay
            return settings
        }
    }
}
