import MusterAPI
public import MusterBalancing

/// A live view of a service's instances.
///
/// As long as one exists for a query, ``Discovery`` keeps a watch open; 30 seconds after the last
/// one has gone the watch ends.
public final class WatchedService: Sendable {
    /// The query that is watched.
    public var query: ServiceQuery { feed.query }

    let feed: Feed
    private let discovery: Discovery

    /// Takes over one count of the feed's handles.
    init(feed: Feed, discovery: Discovery) {
        self.feed = feed
        self.discovery = discovery
    }

    deinit { feed.release() }

    /// The newest snapshot, nil before the first answer; never blocks.
    public var current: ServiceSnapshot? { feed.current }

    /// The snapshots from the current one on, the newest only for a slow reader.
    ///
    /// Never throws: when the registry fails, a snapshot with the last good list says so in its
    /// origin. Ends when the discovery ends.
    public var snapshots: ServiceSnapshots { ServiceSnapshots(service: self) }

    /// What comes, goes and changes; begins with the current instances, all of them added.
    ///
    /// A slow reader sees one change for all that happened meanwhile, never a gap. Changes of the
    /// origin alone are left out. Ends when the discovery ends.
    public var changes: ServiceChanges { ServiceChanges(snapshots: snapshots) }

    /// When the registry last confirmed the current instances, nil before it has answered.
    ///
    /// Newer than the snapshot's own moment when it has said since that nothing changed.
    public var confirmed: ContinuousClock.Instant? { feed.confirmed }

    /// The current snapshot, or the first one as soon as the registry has answered.
    ///
    /// - Returns: The snapshot.
    /// - Throws: ``DiscoveryError`` when no answer comes within the configured time.
    public func firstSnapshot() async throws(DiscoveryError) -> ServiceSnapshot {
        if let current { return current }
        let deadline = discovery.clock.now() + discovery.configuration.firstAnswerTimeout
        let snapshot = await withTaskGroup(of: ServiceSnapshot?.self) { group in
            group.addTask { await self.feed.subscribe().first { _ in true } }
            group.addTask { [clock = discovery.clock] in
                // The sleep only throws when cancelled; the lookup fails in either case.
                try? await clock.sleep(deadline)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        if let snapshot { return snapshot }
        let code: DiscoveryError.Code =
            discovery.isEnded || Task.isCancelled ? .ended : .noAnswer
        throw DiscoveryError(code: code, query: query, cause: feed.lastError)
    }

    /// A balancer over the instances; it keeps the watch open.
    ///
    /// The watch also tells it the time, so that ejections end and new instances warm up without
    /// picks that tell it, and logs whom it ejects and when it panics. Its clock is the
    /// discovery's unless the options name one. For a panic threshold that means something, watch
    /// with ``ServiceQuery/minimumHealth`` at `critical`: the balancer leaves the unhealthy out by
    /// itself until too few are left.
    ///
    /// - Parameters:
    ///   - policy: How instances are chosen.
    ///   - options: What the balancer is told beyond the policy.
    /// - Returns: The balancer; it has no instances before the first answer.
    public func balancer(
        _ policy: BalancingPolicy = .roundRobin,
        options: Balancer.Options = Balancer.Options()
    ) -> Balancer {
        var options = options
        options.owner = self
        options.clock = options.clock ?? discovery.clock.now
        let balancer = Balancer(policy: policy, options: options)
        feed.attach(balancer)
        return balancer
    }

    func subscribe() -> AsyncStream<ServiceSnapshot> { feed.subscribe() }
}

/// The snapshots of a service; see ``WatchedService/snapshots``.
public struct ServiceSnapshots: AsyncSequence, Sendable {
    /// What the sequence gives.
    public typealias Element = ServiceSnapshot

    /// It never fails.
    public typealias Failure = Never

    let service: WatchedService

    /// Begins with the current snapshot, if there is one.
    public func makeAsyncIterator() -> Iterator {
        Iterator(service: service, base: service.subscribe().makeAsyncIterator())
    }

    /// Walks through the snapshots and keeps the watch open meanwhile.
    public struct Iterator: AsyncIteratorProtocol {
        let service: WatchedService
        var base: AsyncStream<ServiceSnapshot>.Iterator

        /// The next snapshot, nil when the discovery or the task has ended.
        public mutating func next() async -> ServiceSnapshot? {
            await base.next()
        }

        /// The next snapshot, nil when the discovery or the task has ended.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(Never) -> ServiceSnapshot? {
            await base.next(isolation: actor)
        }
    }
}
