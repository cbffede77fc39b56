import MusterAPI
import MusterBalancing

/// Decides what the watch of one query asks next and what it publishes; does no I/O.
///
/// - Source: Consul: "Blocking Queries", implementation details; the rules cite what goes wrong
///   without them.
struct WatchCore {
    /// What the loop does next.
    enum Step: Equatable {
        /// Wait until the moment, then ask for the next step again.
        case sleep(until: ContinuousClock.Instant)
        /// Ask the registry, blocking when there is an index.
        case ask(index: UInt64?, wait: Duration, freshness: ServiceQuery.Freshness)
    }

    /// What an answer holds.
    enum Content {
        /// The same bytes as before.
        case unchanged
        /// The instances it lists.
        case instances([Instance])
    }

    /// How patient a watch is.
    struct Settings {
        var asking = BlockingQuery.Settings()
        var emptyHold = Duration.seconds(30)
    }

    private let query: ServiceQuery
    private let settings: Settings
    private var random: SeededRandom
    private var loop: BlockingQuery
    private var leaderOnly = false

    /// Whether the last answer was taken, and not refused for its age.
    private(set) var accepted = false

    /// The last list that counts, with where it comes from.
    private(set) var instances: [Instance]?
    private(set) var confirmed: ContinuousClock.Instant?
    private var origin = ServiceSnapshot.Origin.live
    private var publishedIndex: UInt64 = 0
    private var generation: UInt64 = 0
    /// Since when the registry's answer has been an empty list that is held back.
    private var emptySince: ContinuousClock.Instant?

    init(query: ServiceQuery, settings: Settings, seed: UInt64) {
        self.query = query
        self.settings = settings
        random = SeededRandom(seed: seed)
        loop = BlockingQuery(settings: settings.asking)
    }

    /// What to do now.
    mutating func next(now: ContinuousClock.Instant) -> Step {
        // Wakes up in time to let an empty list through.
        let rest = emptySince.map { now.duration(to: $0 + settings.emptyHold) }
        switch loop.next(now: now, longestWait: rest) {
        case .sleep(let moment): return .sleep(until: moment)
        case .ask(let index, let wait):
            let freshness: ServiceQuery.Freshness = leaderOnly ? .standard : query.freshness
            leaderOnly = false
            return .ask(index: index, wait: wait, freshness: freshness)
        }
    }

    /// Takes an answer; returns the snapshot to publish, if there is one.
    ///
    /// - Parameters:
    ///   - content: What the answer lists.
    ///   - answerIndex: The registry's index of it.
    ///   - lag: How long ago the server that answered had heard from the leader.
    ///   - now: The present moment.
    /// - Returns: The snapshot to publish, nil when nothing changed.
    mutating func answered(
        _ content: Content,
        index answerIndex: UInt64,
        lag: Duration = .zero,
        now: ContinuousClock.Instant
    ) -> ServiceSnapshot? {
        if case .stale(let maxLag) = query.freshness, lag > maxLag {
            // The server has lost touch: what it says may be old. The leader is asked instead.
            leaderOnly = true
            accepted = false
            loop.restart()
            return nil
        }
        accepted = true
        _ = loop.answered(index: answerIndex, now: now, using: &random)
        confirmed = now
        publishedIndex = answerIndex
        var list = instances ?? []
        if case .instances(let new) = content { list = new }
        if case .unchanged = content, emptySince != nil { list = [] }
        return settle(list, now: now)
    }

    /// Takes a failure; returns the snapshot to publish, if there is one.
    ///
    /// The last good list stays.
    mutating func failed(
        keepsIndex: Bool = false,
        now: ContinuousClock.Instant
    ) -> ServiceSnapshot? {
        loop.failed(keepsIndex: keepsIndex, now: now, using: &random)
        guard instances != nil, case .live = origin else { return nil }
        origin = .stale(since: now)
        return snapshot(now: now)
    }

    /// Decides whether the list counts now, and makes the snapshot when something changed.
    private mutating func settle(
        _ list: [Instance],
        now: ContinuousClock.Instant
    ) -> ServiceSnapshot? {
        var next = ServiceSnapshot.Origin.live
        var counts = list
        if list.isEmpty, let held = instances, !held.isEmpty {
            let since = emptySince ?? now
            emptySince = since
            if now < since + settings.emptyHold {
                next = .protected(since: since)
                counts = held
            } else {
                emptySince = nil
            }
        } else {
            emptySince = nil
        }
        guard instances != counts || origin != next else { return nil }
        instances = counts
        origin = next
        return snapshot(now: now)
    }

    private mutating func snapshot(now: ContinuousClock.Instant) -> ServiceSnapshot {
        generation += 1
        return ServiceSnapshot(
            instances: instances ?? [],
            index: publishedIndex,
            generation: generation,
            origin: origin,
            confirmed: confirmed ?? now
        )
    }
}
