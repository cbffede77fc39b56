import MusterAPI
import MusterBalancing

/// What one datacenter says of one query, and how far it is believed; does no I/O.
struct SourceCore {
    /// What an answer holds.
    enum Content: Equatable {
        /// The same bytes as before.
        case unchanged
        /// The instances it lists, ordered by id, each id once.
        case instances([Instance])
    }

    /// An answer of the registry.
    struct Answer: Equatable {
        var content: Content
        /// Which bytes it was read from.
        var hash = 0
        var index: UInt64
        /// How long before the answer its server had last heard from the leader.
        var lag = Duration.zero
    }

    /// What the loop does next.
    enum Step: Equatable {
        /// Wait until the moment, then ask for the next step again.
        case sleep(until: ContinuousClock.Instant)
        /// Ask the registry, blocking when there is an index.
        case ask(index: UInt64?, wait: Duration, freshness: ServiceQuery.Freshness)
    }

    /// How patient and how trusting a watch is.
    struct Settings {
        var asking = BlockingQuery.Settings()
        var emptyHold = Duration.seconds(30)
        /// The share of the instances that one answer of a suspicious source may remove.
        var removalShare = 0.2
        /// How long a source stays suspicious once it answers again.
        var settling = Duration.seconds(30)
    }

    /// Whether the source may have lost a part of what it knew.
    private enum Suspicion {
        case none
        case failing
        /// It answers again, but may not have heard of everyone yet.
        case settling(until: ContinuousClock.Instant)
    }

    let freshness: ServiceQuery.Freshness
    let settings: Settings
    private var random: SeededRandom
    private var loop: BlockingQuery
    private var leaderOnly = false
    private var suspicion = Suspicion.none
    /// Since when instances that the registry does not list any more are kept.
    private var protectedSince: ContinuousClock.Instant?
    /// Whether what is held back is everything.
    private var isEmptied = false
    /// The registry's own list.
    ///
    /// Invariant: not nil only while another one counts.
    private var listed: [Instance]?

    /// The list that counts, nil before there is one.
    private(set) var instances: [Instance]?
    private(set) var origin = ServiceSnapshot.Origin.live
    /// When the registry last confirmed the list.
    private(set) var confirmed: ContinuousClock.Instant?
    /// The registry's index of the last answer.
    private(set) var index: UInt64 = 0
    /// The hash of the last answer that was believed; equal bytes need not be read again.
    private(set) var seen: Int?
    /// How often the registry's index started over.
    private(set) var resets = 0

    init(freshness: ServiceQuery.Freshness, settings: Settings, seed: UInt64) {
        self.freshness = freshness
        self.settings = settings
        random = SeededRandom(seed: seed)
        loop = BlockingQuery(settings: settings.asking)
    }

    /// What to do now.
    mutating func next(now: ContinuousClock.Instant) -> Step {
        // Asks in time whether what is held back is still missing.
        let rest = protectionEnd.map { now.duration(to: $0) }
        switch loop.next(now: now, longestWait: rest) {
        case .sleep(let moment): return .sleep(until: moment)
        case .ask(let index, let wait):
            let freshness: ServiceQuery.Freshness = leaderOnly ? .standard : freshness
            leaderOnly = false
            return .ask(index: index, wait: wait, freshness: freshness)
        }
    }

    /// Delays the first query.
    mutating func delay(until moment: ContinuousClock.Instant) { loop.delay(until: moment) }

    /// Forgets what it knows: it is not asked any more until it is needed again.
    mutating func park() {
        loop.restart()
        instances = nil
        origin = .live
        listed = nil
        protectedSince = nil
        isEmptied = false
        seen = nil
        confirmed = nil
    }

    /// Whether the registry's last word was a list with someone at least that healthy.
    func serves(_ minimumHealth: Health) -> Bool {
        switch origin {
        case .live, .protected: (listed ?? instances ?? []).contains { $0.health <= minimumHealth }
        case .stale, .disk: false
        }
    }

    /// Takes an answer.
    mutating func answered(_ answer: Answer, now: ContinuousClock.Instant) {
        if case .stale(let maxLag) = freshness, answer.lag > maxLag {
            return distrust(answer, now: now)
        }
        switch loop.answered(index: answer.index, now: now, using: &random) {
        case .back:
            resets += 1
            suspicion = .settling(until: now + settings.settling)
        case .forward, .same, .zero:
            if case .failing = suspicion {
                suspicion = .settling(until: now + settings.settling)
            }
        }
        seen = answer.hash
        confirmed = now
        index = answer.index
        switch answer.content {
        case .instances(let list): settle(list, isNew: true, now: now)
        case .unchanged: settle(listed ?? instances ?? [], isNew: false, now: now)
        }
    }

    /// Takes a failure; the last good list stays.
    ///
    /// - Parameters:
    ///   - keepsIndex: Whether the registry is known to be the same one.
    ///   - now: The present moment.
    mutating func failed(keepsIndex: Bool = false, now: ContinuousClock.Instant) {
        loop.failed(keepsIndex: keepsIndex, now: now, using: &random)
        if !keepsIndex {
            suspicion = .failing
            // What is missing has to be missed anew: the registry may have just been restarted.
            protectedSince = nil
        }
        switch origin {
        case .live, .protected: origin = .stale(since: now)
        case .stale, .disk: break
        }
    }

    /// Takes a list from an earlier run, unless the registry has been quicker.
    mutating func restore(_ list: [Instance], age: Duration, now: ContinuousClock.Instant) {
        guard instances == nil else { return }
        instances = list
        origin = .disk(age: age)
        confirmed = now - age
    }

    // MARK: What counts

    /// When what is held back is let go at the latest, if it is still missing then.
    private var protectionEnd: ContinuousClock.Instant? {
        guard let protectedSince else { return nil }
        if isEmptied { return protectedSince + settings.emptyHold }
        if case .settling(let end) = suspicion { return end }
        return nil
    }

    /// Asks the leader instead of a server that has lost touch with it and may say what is old.
    private mutating func distrust(_ answer: Answer, now: ContinuousClock.Instant) {
        leaderOnly = true
        loop.restart()
        // An old list is better than none.
        guard instances == nil, case .instances(let list) = answer.content else { return }
        instances = list
        confirmed = now - answer.lag
        origin = .stale(since: now - answer.lag)
        index = answer.index
    }

    /// Decides which list counts from now on.
    private mutating func settle(
        _ list: [Instance],
        isNew: Bool,
        now: ContinuousClock.Instant
    ) {
        if case .settling(let end) = suspicion, now >= end { suspicion = .none }
        guard let held = instances, !held.isEmpty else { return trust(list) }
        if list.isEmpty {
            let since = isEmptied ? protectedSince ?? now : now
            guard now < since + settings.emptyHold else { return trust(list) }
            return protect(held, listed: list, since: since)
        }
        guard case .settling = suspicion, !isFromDisk else { return trust(list) }
        let missing = Self.missing(from: list, of: held)
        let allowed = isNew ? max(1, Int(Double(held.count) * settings.removalShare)) : 0
        guard missing.count > allowed else { return trust(list) }
        protect(
            Self.merge(list, missing.dropFirst(allowed)),
            listed: list,
            since: protectedSince ?? now
        )
    }

    /// Whether the list that counts is from an earlier run: then any answer is better.
    private var isFromDisk: Bool { if case .disk = origin { true } else { false } }

    private mutating func trust(_ list: [Instance]) {
        instances = list
        listed = nil
        protectedSince = nil
        isEmptied = false
        origin = .live
    }

    private mutating func protect(
        _ kept: [Instance],
        listed list: [Instance],
        since: ContinuousClock.Instant
    ) {
        instances = kept
        listed = list
        protectedSince = since
        isEmptied = list.isEmpty
        origin = .protected(since: since)
    }

    /// The instances that `held` has and `list` has not, by id; both are ordered by id.
    private static func missing(from list: [Instance], of held: [Instance]) -> [Instance] {
        var rest = list[...]
        return held.filter { instance in
            rest = rest.drop { $0.id < instance.id }
            return rest.first?.id != instance.id
        }
    }

    /// The instances of both, ordered by id; no id is in both.
    private static func merge(
        _ list: [Instance],
        _ kept: ArraySlice<Instance>
    ) -> [Instance] {
        var merged: [Instance] = []
        merged.reserveCapacity(list.count + kept.count)
        var rest = kept
        for instance in list {
            while let first = rest.first, first.id < instance.id {
                merged.append(rest.removeFirst())
            }
            merged.append(instance)
        }
        return merged + rest
    }
}
