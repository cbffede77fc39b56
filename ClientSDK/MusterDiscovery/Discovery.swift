public import Logging
public import MusterAPI
public import MusterBalancing
public import ServiceLifecycle
import Synchronization

/// Finds the instances of services and keeps what it found up to date.
///
/// One blocking query per distinct ``ServiceQuery`` feeds everyone who asked for it. Nothing moves
/// until ``run()`` does: give it to a `ServiceGroup` or run it in a task.
public final class Discovery: Service {
    /// How a discovery behaves.
    public struct Configuration: Sendable {
        /// How long a blocking query waits.
        ///
        /// Longer means fewer requests and later notice of a dead connection. Default 60 seconds.
        public var wait = Duration.seconds(60)

        /// How long an empty answer is held back after a list that was not empty.
        ///
        /// Default 30 seconds; zero believes it at once.
        public var emptyHold = Duration.seconds(30)

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

        /// What the time is taken from.
        public var clock = TimeSource.system

        /// Where random waits start; nil draws it from the system once.
        public var seed: UInt64?

        /// Whether watches ask nobody and show what is published by hand; for tests.
        package var isOffline = false

        /// Makes the default configuration.
        public init() {}
    }

    private struct State {
        var feeds: [ServiceQuery: Feed] = [:]
        /// Feeds whose watch the running discovery has not started yet.
        var waiting: [Feed] = []
        var ended = false
    }

    let client: MusterClient
    let configuration: Configuration
    let logger: Logger
    var clock: TimeSource { configuration.clock }

    private let state = Mutex(State())
    private let work = Doorbell()

    /// Makes a discovery that asks the registry of `client`.
    public init(
        client: MusterClient,
        configuration: Configuration = Configuration(),
        logger: Logger = Logger(label: "muster.discovery")
    ) {
        self.client = client
        self.configuration = configuration
        self.logger = logger
    }

    var isEnded: Bool { state.withLock(\.ended) }

    /// A live view of the instances that `query` wants; cheap, and starts the watch if need be.
    ///
    /// Beyond ``Configuration/maximumWatches`` distinct queries the view stays without snapshots.
    public func service(_ query: ServiceQuery) -> WatchedService {
        let (feed, isNew) = state.withLock { state in
            if let feed = state.feeds[query] {
                // Counted in the same step as found: the watch may be about to be forgotten.
                feed.retain()
                return (feed, false)
            }
            let feed = Feed(query: query)
            feed.retain()
            guard !state.ended, state.feeds.count < configuration.maximumWatches else {
                feed.note(
                    DiscoveryError(code: state.ended ? .ended : .tooMany, query: query)
                )
                feed.end()
                return (feed, false)
            }
            state.feeds[query] = feed
            state.waiting.append(feed)
            return (feed, true)
        }
        let service = WatchedService(feed: feed, discovery: self)
        if isNew { work.ring() }
        return service
    }

    /// The instances that `query` wants; answered from memory when they are watched already.
    ///
    /// - Parameter query: Which instances are wanted.
    /// - Returns: The newest snapshot.
    /// - Throws: ``DiscoveryError`` when no answer comes within the configured time.
    public func instances(_ query: ServiceQuery) async throws(DiscoveryError) -> ServiceSnapshot {
        try await service(query).firstSnapshot()
    }

    /// Watches until the task is cancelled or the service group shuts down gracefully.
    ///
    /// Every watch is a child of this call.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    for feed in self.takeWaiting() {
                        group.addTask { await self.watch(feed) }
                    }
                    await self.work.wait()
                }
                group.cancelAll()
            }
        }
        let feeds = state.withLock { state in
            state.ended = true
            let feeds = Array(state.feeds.values)
            state.feeds = [:]
            state.waiting = []
            return feeds
        }
        for feed in feeds { feed.end() }
    }

    private func takeWaiting() -> [Feed] {
        state.withLock { state in
            let waiting = state.waiting
            state.waiting = []
            return waiting
        }
    }

    /// Forgets a feed unless somebody wants it; the same step as that check, so none is lost.
    func forget(_ feed: Feed) -> Bool {
        state.withLock { state in
            guard !feed.isInUse else { return false }
            if state.feeds[feed.query] === feed { state.feeds[feed.query] = nil }
            return true
        }
    }
}
