import Logging
import MusterAPI
import MusterBalancing
import Synchronization

/// What one watch publishes to, and who listens.
final class Feed: Sendable {
    private struct WeakBalancer {
        weak var balancer: Balancer?
        /// What was last said of it.
        var reported = BalancerStatus()
        var refusals: UInt64 = 0
    }

    /// That the standing of a balancer's instances has changed.
    struct Report {
        let policy: BalancingPolicy
        let status: BalancerStatus
    }

    private struct State {
        var current: ServiceSnapshot?
        var lastError: (any Error)?
        var handles = 0
        var ended = false
        var nextSubscriber: UInt64 = 0
        var subscribers: [UInt64: AsyncStream<ServiceSnapshot>.Continuation] = [:]
        var balancers: [WeakBalancer] = []
        var confirmed: ContinuousClock.Instant?
        var resets = 0
    }

    let query: ServiceQuery
    let metrics: DiscoveryMetrics
    /// Rings when the last handle has gone.
    let abandoned = Doorbell()
    /// Rings when a balancer may have to be reviewed earlier than thought.
    let changed = Doorbell()
    private let state = Mutex(State())

    init(query: ServiceQuery, metrics: DiscoveryMetrics) {
        self.query = query
        self.metrics = metrics
    }

    var current: ServiceSnapshot? { state.withLock { $0.current } }

    var lastError: (any Error)? { state.withLock(\.lastError) }

    /// When the registry last said that the current instances are still right.
    var confirmed: ContinuousClock.Instant? { state.withLock(\.confirmed) }

    var isInUse: Bool { state.withLock { $0.handles > 0 } }

    /// Counts a handle.
    func retain() { state.withLock { $0.handles += 1 } }

    /// Uncounts a handle.
    func release() {
        let isLast = state.withLock { state in
            state.handles -= 1
            return state.handles == 0
        }
        if isLast { abandoned.ring() }
    }

    /// Hands a snapshot to everyone who listens.
    ///
    /// Only the watch's loop calls this, so snapshots arrive in order; nobody can slow it down.
    func publish(_ snapshot: ServiceSnapshot) {
        let (subscribers, balancers) = state.withLock { state in
            state.current = snapshot
            if case .live = snapshot.origin { state.lastError = nil }
            state.balancers.removeAll { $0.balancer == nil }
            return (Array(state.subscribers.values), state.balancers.compactMap(\.balancer))
        }
        metrics.published(snapshot)
        for balancer in balancers { balancer.update(snapshot) }
        if !balancers.isEmpty { changed.ring() }
        for subscriber in subscribers { subscriber.yield(snapshot) }
    }

    /// Keeps the reason of a failure; false when there has been one since the last success.
    @discardableResult
    func note(_ error: any Error) -> Bool {
        state.withLock { state in
            defer { state.lastError = error }
            return state.lastError == nil
        }
    }

    /// Notes how things stand with the registry.
    func confirm(
        _ confirmed: ContinuousClock.Instant?,
        resets: Int,
        now: ContinuousClock.Instant
    ) {
        let newResets = state.withLock { state in
            defer { state.resets = resets }
            state.confirmed = confirmed
            return resets - state.resets
        }
        guard let confirmed else { return }
        metrics.confirmed(confirmed.duration(to: now), newResets: newResets)
    }

    /// A snapshot in a log line.
    func metadata(_ snapshot: ServiceSnapshot) -> Logger.Metadata {
        [
            "service": "\(query.name)", "instances": "\(snapshot.instances.count)",
            "origin": "\(snapshot.origin)", "index": "\(snapshot.index)",
        ]
    }

    /// Ends every sequence; the feed publishes no more.
    func end() {
        let subscribers = state.withLock { state in
            state.ended = true
            let subscribers = Array(state.subscribers.values)
            state.subscribers = [:]
            return subscribers
        }
        for subscriber in subscribers { subscriber.finish() }
    }

    /// A new sequence: the current snapshot, then each that follows; a slow reader sees the newest.
    func subscribe() -> AsyncStream<ServiceSnapshot> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ServiceSnapshot.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        let number: UInt64? = state.withLock { state in
            guard !state.ended, state.subscribers.count < Limits.subscribers else { return nil }
            state.nextSubscriber += 1
            state.subscribers[state.nextSubscriber] = continuation
            // Under the lock, so that no newer snapshot can come first.
            if let current = state.current { continuation.yield(current) }
            return state.nextSubscriber
        }
        guard let number else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.subscribers.removeValue(forKey: number) }
        }
        return stream
    }

    /// Keeps a balancer up to date for as long as someone holds it.
    func attach(_ balancer: Balancer) {
        var current = state.withLock { state in
            state.balancers.append(WeakBalancer(balancer: balancer))
            return state.current
        }
        while let snapshot = current {
            balancer.update(snapshot)
            // A newer one may have been published, and handed over, before this one was.
            current = state.withLock { $0.current === snapshot ? nil : $0.current }
        }
        changed.ring()
    }

    /// Tells the balancers the time.
    ///
    /// - Parameter now: The present moment.
    /// - Returns: When to do so next, nil if only after ``changed`` has rung; and what is new.
    func review(
        at now: ContinuousClock.Instant
    ) -> (next: ContinuousClock.Instant?, reports: [Report]) {
        let balancers = state.withLock { $0.balancers.compactMap(\.balancer) }
        let next = balancers.compactMap { $0.review(at: now) }.min()
        let statuses = balancers.map(\.status)
        let refusals = balancers.map(\.retryBudget.refusals)
        let newRefusals = state.withLock { state in
            zip(balancers, refusals).reduce(UInt64(0)) { sum, pair in
                guard
                    let index = state.balancers.firstIndex(where: { $0.balancer === pair.0 })
                else { return sum }
                defer { state.balancers[index].refusals = pair.1 }
                return sum + (pair.1 - state.balancers[index].refusals)
            }
        }
        metrics.reviewed(
            ejected: statuses.reduce(0) { $0 + $1.ejected.count },
            panicking: statuses.count { $0.isPanicking },
            newRefusals: newRefusals
        )
        let reports = state.withLock { state in
            zip(balancers, statuses).compactMap { balancer, status -> Report? in
                guard
                    let index = state.balancers.firstIndex(where: { $0.balancer === balancer }),
                    state.balancers[index].reported.ejected != status.ejected
                        || state.balancers[index].reported.isPanicking != status.isPanicking
                else { return nil }
                state.balancers[index].reported = status
                return Report(policy: balancer.policy, status: status)
            }
        }
        return (next, reports)
    }
}
