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
        var wait = Duration.seconds(60)
        var emptyHold = Duration.seconds(30)
        var backoffBase = Duration.milliseconds(500)
        var backoffCap = Limits.longestBackoff
        var burst = 2
        var refill = Duration.seconds(1)
    }

    private let query: ServiceQuery
    private let settings: Settings
    private var random: SeededRandom
    private var backoff: Backoff
    private var bucket: TokenBucket

    /// The index to ask with next; nil asks for the state now.
    private var index: UInt64?
    private var notBefore: ContinuousClock.Instant?
    /// Invariant: set only while a token of the bucket is held for the next request.
    private var tokenFrom: ContinuousClock.Instant?
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
        backoff = Backoff(base: settings.backoffBase, cap: settings.backoffCap)
        bucket = TokenBucket(burst: settings.burst, refill: settings.refill)
    }

    /// What to do now.
    mutating func next(now: ContinuousClock.Instant) -> Step {
        let token = tokenFrom ?? bucket.take(at: now)
        tokenFrom = token
        let start = max(token, notBefore ?? now)
        guard start <= now else { return .sleep(until: start) }
        tokenFrom = nil
        notBefore = nil
        var wait = settings.wait
        if let emptySince {
            // Wakes up in time to let an empty list through.
            let rest = now.duration(to: emptySince + settings.emptyHold)
            wait = max(.milliseconds(1), min(wait, rest))
        }
        let freshness: ServiceQuery.Freshness = leaderOnly ? .standard : query.freshness
        leaderOnly = false
        return .ask(index: index, wait: wait, freshness: freshness)
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
            index = nil
            return nil
        }
        accepted = true
        advance(to: answerIndex, now: now)
        confirmed = now
        publishedIndex = answerIndex
        var list = instances ?? []
        if case .instances(let new) = content { list = new }
        if case .unchanged = content, emptySince != nil { list = [] }
        return settle(list, now: now)
    }

    /// Takes a failure; returns the snapshot to publish, if there is one.
    ///
    /// The last good list stays. The index starts over: a registry that was restarted may count
    /// from a lower one, and a query with the old index would hang on it.
    mutating func failed(now: ContinuousClock.Instant) -> ServiceSnapshot? {
        index = nil
        notBefore = now + backoff.fail(using: &random)
        guard instances != nil, case .live = origin else { return nil }
        origin = .stale(since: now)
        return snapshot(now: now)
    }

    /// Applies the rules for the index of an answer.
    private mutating func advance(to answerIndex: UInt64, now: ContinuousClock.Instant) {
        if answerIndex == 0 {
            // A server must never say 0: asking with it would not block and spin. Like a failure,
            // but at least a second apart.
            notBefore = now + max(.seconds(1), backoff.fail(using: &random))
            index = 1
            return
        }
        backoff.succeed()
        if let index, answerIndex < index {
            // Backwards: a restart or a restored snapshot. Start over, at once.
            self.index = nil
            return
        }
        index = answerIndex
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
