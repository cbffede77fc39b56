public import Logging
public import Metrics
public import MusterAPI
public import MusterBalancing
public import ServiceLifecycle
import Synchronization

/// Finds the instances of services and keeps what it found up to date.
///
/// One blocking query per distinct ``ServiceQuery`` feeds everyone who asked for it. Nothing moves
/// until ``run()`` does: give it to a `ServiceGroup` or run it in a task.
public final class Discovery: Service {
    private struct State {
        var feeds: [ServiceQuery: Feed] = [:]
        /// Feeds whose watch the running discovery has not started yet.
        var waiting: [Feed] = []
        var starts = StartSpread()
        var ended = false
    }

    let client: MusterClient
    let configuration: Configuration
    let logger: Logger
    /// Where lists are kept for the next start, nil when they are not.
    let store: SnapshotStore?
    var clock: TimeSource { configuration.clock }

    private let state = Mutex(State())
    private let work = Doorbell()

    private let factory: any MetricsFactory

    /// Makes a discovery that asks the registry of `client`; nothing is sent yet.
    ///
    /// - Parameters:
    ///   - client: How to reach the registry.
    ///   - configuration: How the discovery behaves.
    ///   - logger: Where it says what happens: warnings when the registry fails or is not believed.
    ///   - metrics: Where it counts; nil is the process's metrics system.
    public init(
        client: MusterClient,
        configuration: Configuration = Configuration(),
        logger: Logger = Logger(label: "muster.discovery"),
        metrics: (any MetricsFactory)? = nil
    ) {
        self.client = client
        self.configuration = configuration
        self.logger = logger
        factory = metrics ?? MetricsSystem.factory
        store = configuration.snapshotDirectory.map { directory in
            SnapshotStore(
                directory: directory,
                scope: client.configuration.datacenter ?? "",
                maximumAge: configuration.snapshotMaximumAge,
                wallClock: configuration.wallClock,
                logger: logger
            )
        }
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
            let feed = Feed(
                query: query,
                metrics: DiscoveryMetrics(query: query, factory: factory)
            )
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
                if self.store != nil { group.addTask { await self.keepSnapshots() } }
                while !Task.isCancelled {
                    for (feed, delay) in self.takeWaiting() {
                        group.addTask { await self.watch(feed, after: delay) }
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
        await store?.save(feeds, now: clock.now())
        store?.close()
        for feed in feeds { feed.end() }
    }

    /// All queries that are watched.
    var feeds: [Feed] { state.withLock { Array($0.feeds.values) } }

    private func takeWaiting() -> [(feed: Feed, delay: Duration)] {
        let now = clock.now()
        return state.withLock { state in
            let waiting = state.waiting
            state.waiting = []
            return waiting.map { ($0, state.starts.delay(at: now)) }
        }
    }

    /// Forgets a feed unless somebody wants it; the same step as that check, so none is lost.
    func forget(_ feed: Feed) -> Bool {
        state.withLock { state in
            guard !feed.isInUse else { return false }
            // Before another feed of the same query can make the same instruments.
            feed.metrics.end()
            if state.feeds[feed.query] === feed { state.feeds[feed.query] = nil }
            return true
        }
    }
}
