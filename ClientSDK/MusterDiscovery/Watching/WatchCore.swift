import MusterAPI
import MusterBalancing

/// Decides what the watch of one query asks in which datacenter, and what it publishes; does no
/// I/O.
///
/// The first datacenter is always asked. A later one is asked, and believed, only while none
/// before it serves: its list has a healthy instance and its registry answers. What is published
/// comes from one datacenter at a time.
struct WatchCore {
    /// A query to send now.
    struct Ask: Equatable {
        /// The position of the datacenter among the query's.
        var source: Int
        var datacenter: Datacenter
        var index: UInt64?
        var wait: Duration
        var freshness: ServiceQuery.Freshness
        /// The hash of an answer that need not be read again.
        var seen: Int?
    }

    /// What became of a query.
    enum Event {
        case answered(source: Int, SourceCore.Answer)
        /// There is no usable answer; `keepsIndex` when the registry is known to be the same one.
        case failed(source: Int, keepsIndex: Bool)
        /// A list from an earlier run was found.
        case restored([Instance], age: Duration)
    }

    /// How patient and how trusting a watch is.
    struct Settings {
        var source = SourceCore.Settings()
        /// How long a datacenter may fail before the next one takes its place.
        var failover = Duration.seconds(10)
        /// How long a better datacenter must serve again before it gets its place back.
        var failback = Duration.seconds(10)
        /// How long the first query is put off.
        var delay = Duration.zero
    }

    private struct Source {
        var core: SourceCore
        let datacenter: Datacenter
        var isAsked = false
        /// Whether there was an answer or a failure since it was last needed.
        var isHeard = false
        /// Whether it is not needed.
        var isParked = false
        /// Since when it serves.
        var servesSince: ContinuousClock.Instant?
        /// Since when it has not served.
        var failsSince: ContinuousClock.Instant
        var sleepsUntil: ContinuousClock.Instant?
    }

    private let settings: Settings
    private let minimumHealth: Health
    private let start: ContinuousClock.Instant
    private var sources: [Source]
    /// Whose list is published.
    private(set) var active = 0
    private var published: ServiceSnapshot?

    init(
        query: ServiceQuery,
        settings: Settings = Settings(),
        seed: UInt64,
        now: ContinuousClock.Instant
    ) {
        self.settings = settings
        minimumHealth = min(query.minimumHealth, .warning)
        start = now
        sources = query.distinctDatacenters.enumerated().map { position, datacenter in
            var core = SourceCore(
                freshness: query.freshness,
                settings: settings.source,
                seed: seed &+ UInt64(position)
            )
            if position == 0, settings.delay > .zero { core.delay(until: now + settings.delay) }
            return Source(core: core, datacenter: datacenter, failsSince: now)
        }
    }

    /// How often a registry's index started over.
    var resets: Int { sources.reduce(0) { $0 + $1.core.resets } }

    /// When the list that is published was last confirmed.
    var confirmed: ContinuousClock.Instant? { sources[active].core.confirmed }

    /// Takes what became of a query.
    mutating func handle(_ event: Event, now: ContinuousClock.Instant) {
        switch event {
        case .answered(let position, let answer):
            sources[position].core.answered(answer, now: now)
            note(position, now: now)
        case .failed(let position, let keepsIndex):
            sources[position].core.failed(keepsIndex: keepsIndex, now: now)
            note(position, now: now)
        case .restored(let list, let age):
            sources[0].core.restore(list, age: age, now: now)
        }
    }

    /// The queries to send now; their outcomes come back through ``handle(_:now:)``.
    mutating func asks(now: ContinuousClock.Instant) -> [Ask] {
        var asks: [Ask] = []
        var isWanted = true
        for position in sources.indices {
            guard isWanted else {
                park(position)
                continue
            }
            if let ask = ask(position, now: now) { asks.append(ask) }
            isWanted = needsNext(position, now: now)
        }
        return asks
    }

    /// The snapshot to publish now, nil when nothing has changed.
    mutating func snapshot(now: ContinuousClock.Instant) -> ServiceSnapshot? {
        choose(now: now)
        guard published != nil || isDecided(now: now) else { return nil }
        let core = sources[active].core
        guard let instances = core.instances else { return nil }
        guard published?.instances != instances || published?.origin != core.origin else {
            return nil
        }
        let snapshot = ServiceSnapshot(
            instances: instances,
            index: core.index,
            generation: (published?.generation ?? 0) + 1,
            origin: core.origin,
            confirmed: core.confirmed ?? now
        )
        published = snapshot
        return snapshot
    }

    /// When time alone may change something; nil when only an event can.
    func deadline(now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        var moments: [ContinuousClock.Instant] = []
        for (position, source) in sources.enumerated() {
            if !source.isAsked, let moment = source.sleepsUntil { moments.append(moment) }
            guard position + 1 < sources.count else { continue }
            if source.servesSince == nil { moments.append(source.failsSince + patience(position)) }
            if let since = source.servesSince { moments.append(since + settings.failback) }
        }
        return moments.filter { $0 > now }.min()
    }

    // MARK: One datacenter

    /// Decides whether a datacenter serves after something was heard of it.
    private mutating func note(_ position: Int, now: ContinuousClock.Instant) {
        sources[position].isAsked = false
        sources[position].isHeard = true
        if sources[position].core.serves(minimumHealth) {
            sources[position].servesSince = sources[position].servesSince ?? now
        } else if sources[position].servesSince != nil {
            sources[position].servesSince = nil
            sources[position].failsSince = now
        }
    }

    private mutating func ask(_ position: Int, now: ContinuousClock.Instant) -> Ask? {
        guard !sources[position].isAsked else { return nil }
        if sources[position].isParked {
            sources[position].isParked = false
            sources[position].isHeard = false
            sources[position].failsSince = now
        }
        sources[position].sleepsUntil = nil
        switch sources[position].core.next(now: now) {
        case .sleep(let moment):
            sources[position].sleepsUntil = moment
            return nil
        case .ask(let index, let wait, let freshness):
            sources[position].isAsked = true
            return Ask(
                source: position,
                datacenter: sources[position].datacenter,
                index: index,
                wait: wait,
                freshness: freshness,
                seen: sources[position].core.seen
            )
        }
    }

    /// Stops asking a datacenter that is not needed; what it last said counts no more.
    private mutating func park(_ position: Int) {
        guard !sources[position].isAsked, !sources[position].isParked else { return }
        sources[position].isParked = true
        sources[position].servesSince = nil
        sources[position].sleepsUntil = nil
        sources[position].core.park()
    }

    private func hasHealthy(_ position: Int) -> Bool {
        sources[position].core.instances?.contains { $0.health <= minimumHealth } ?? false
    }

    /// How long a datacenter that does not serve may do so before the next one is asked.
    private func patience(_ position: Int) -> Duration {
        let source = sources[position]
        // It answers that there is nobody, or it has failed and there is nothing to go on with.
        if source.isHeard, !hasHealthy(position) { return .zero }
        if case .protected = source.core.origin { return .zero }
        return source.isHeard ? settings.failover : Limits.firstAnswerPatience
    }

    /// Whether the datacenter behind this one is needed.
    private func needsNext(_ position: Int, now: ContinuousClock.Instant) -> Bool {
        // One further down is in use until this one has its place back.
        if active > position { return true }
        let source = sources[position]
        return source.servesSince == nil && now >= source.failsSince + patience(position)
    }

    // MARK: The choice

    /// Chooses whose list counts.
    private mutating func choose(now: ContinuousClock.Instant) {
        let serving = sources.indices.filter { sources[$0].servesSince != nil }
        guard let best = serving.first else {
            // Nobody serves: what was published stays, unless there is nothing.
            if sources[active].core.instances?.isEmpty ?? true,
                let other = sources.indices.first(where: hasHealthy)
            {
                active = other
            }
            return
        }
        guard best != active else { return }
        let isStable =
            sources[best].servesSince.map { now >= $0 + settings.failback } ?? false
        if best < active, serving.contains(active), !isStable { return }
        if best > active, !needsNext(active, now: now) { return }
        active = best
    }

    /// Whether the first snapshot may be published, or another datacenter may still do better.
    private func isDecided(now: ContinuousClock.Instant) -> Bool {
        if hasHealthy(active) || sources.allSatisfy(\.isHeard) { return true }
        return now >= start + Limits.firstAnswerPatience * sources.count
    }
}
