import Synchronization

/// Picks an instance for each call; safe to use from any thread or task.
///
/// A pick takes no lock, allocates nothing and counts no shared reference: it reads a table that
/// ``update(_:at:)`` and ``review(at:)`` republish, and a sequence state that threads do not share.
/// Policies that look at calls in flight, and outlier detection, also count each call at its
/// instance.
///
/// Time is told, never asked: by the snapshots, by ``pick(_:at:)``, by ``review(at:)`` and by
/// completed picks. Only ``withInstance(_:failover:isolation:_:)`` asks, the clock in its options.
public final class Balancer: Sendable {
    /// What a balancer may be told beyond its policy.
    public struct Options: Sendable {
        /// How many independent sequences threads are spread over, a power of two.
        ///
        /// 1 makes the order exact when a single thread picks; more keeps threads out of each
        /// other's way. Default 64, at 128 bytes each.
        public var stripes = 64

        /// Where the sequences start; nil draws it from the system once.
        public var seed: UInt64?

        /// Is told how each call ended; costs a counted reference per pick.
        public var recorder: (any CallRecorder)?

        /// Something that must live as long as the balancer, like the watch that updates it.
        public var owner: (any AnyObject & Sendable)?

        /// The zone of this client; calls stay in it as far as its instances can carry them.
        ///
        /// nil, the default, takes all zones alike.
        public var zone: String?

        /// The share of healthy instances below which unhealthy and ejected ones are picked too.
        ///
        /// When most instances are ill, sending everything to the few others would only fell them
        /// as well. Counts what the snapshots list: a watch for passing instances alone never shows
        /// unhealthy ones. Instances in maintenance are never picked. 0 turns it off; clamped to
        /// 0…1.
        ///
        /// - Source: Envoy `panic_threshold.rst`.
        public var panicThreshold = 0.5

        /// How new and returned instances take up their share; nil, the default, at once.
        public var slowStart: SlowStart?

        /// Which few of many instances are used; nil, the default, all.
        public var subset: Subset?

        /// When instances that answer badly are left out; nil, the default, never.
        public var outliers: OutlierDetection?

        /// What limits repeated calls; may be shared by several balancers.
        public var retryBudget = RetryBudget()

        /// What `withInstance` reads times from; nil, the default, stands for `ContinuousClock`.
        public var clock: (@Sendable () -> ContinuousClock.Instant)?

        /// Makes the default options.
        public init() {}
    }

    /// What only the writer touches, under its lock.
    struct Writer {
        var snapshot: ServiceSnapshot?
        var published: PickTable
        var spare: PickTable?
        /// Tables too small to use again; a late reader may still look at them.
        ///
        /// Invariant: each is less than half as large as the next, so all together are smaller
        /// than the newest.
        var outgrown: [PickTable] = []
        var roster: Roster
        var selection = Roster.Selection()
        /// The latest moment anybody told, in ticks.
        var latest = Int64.min
        var tables: UInt64 = 0
    }

    /// How instances are chosen.
    public let policy: BalancingPolicy

    /// What limits repeated calls.
    public let retryBudget: RetryBudget

    let recorder: (any CallRecorder)?
    let clock: @Sendable () -> ContinuousClock.Instant
    private let owner: (any AnyObject & Sendable)?
    let stripes: Stripes
    let current: Atomic<UInt>
    let writer: Mutex<Writer>
    /// Empty but for custom policies.
    let custom: [CustomSlot]

    /// Whether a pick is a look into the table and nothing else.
    let isPlain: Bool
    let isTracking: Bool
    /// Whether a pick with a key is a look into the table and nothing else.
    let isPlainWithKeys: Bool
    let ledger: Ledger

    /// Makes a balancer that has no instances yet.
    public init(policy: BalancingPolicy = .roundRobin, options: Options = Options()) {
        self.policy = policy
        recorder = options.recorder
        owner = options.owner
        retryBudget = options.retryBudget
        clock = options.clock ?? { ContinuousClock.now }
        var system = SystemRandomNumberGenerator()
        stripes = Stripes(count: options.stripes, seed: options.seed ?? system.next())
        isTracking = policy.needsTracking || options.outliers != nil
        isPlain = !isTracking && !policy.kind.usesKeys && options.slowStart == nil
        isPlainWithKeys =
            !isTracking && policy.kind.hasPlainKeys && options.slowStart == nil
        ledger = TrackerPool.shared.ledger(Self.settings(of: policy, options))
        if case .custom = policy.kind {
            custom = (0..<CustomSlot.count).map { _ in CustomSlot() }
        } else {
            custom = []
        }
        let empty = PickTable(capacity: 64)
        current = Atomic(empty.bits)
        let roster = Roster(
            settings: Roster.Settings(
                zone: options.zone,
                panicThreshold: min(max(options.panicThreshold, 0), 1),
                slowStart: options.slowStart,
                subset: options.subset,
                outliers: options.outliers,
                usesWeights: policy.usesWeights,
                isTracking: isTracking
            )
        )
        writer = Mutex(Writer(published: empty, roster: roster))
    }

    private static func settings(
        of policy: BalancingPolicy,
        _ options: Options
    ) -> Ledger.Settings {
        var settings = Ledger.Settings()
        settings.countsOutcomes = options.outliers != nil
        settings.failuresInARow = options.outliers?.consecutiveFailures.map { max(1, $0) }
        switch policy.kind {
        case .peakEWMA(let decay, let penalty):
            settings.decay = decay
            settings.penalty = penalty
        case .consistentHash(_, let bound):
            settings.keepsTotal = bound != nil
        default:
            break
        }
        return settings
    }

    deinit {
        writer.withLock { writer in
            writer.published.deallocate()
            writer.spare?.deallocate()
            for table in writer.outgrown { table.deallocate() }
            let trackers = writer.roster.members.map(\.tracker).filter { $0 != .none }
            TrackerPool.shared.giveBack(trackers + writer.roster.retired, ledger)
        }
        stripes.deallocate()
    }

    /// The newest snapshot given to ``update(_:at:)``.
    public var snapshot: ServiceSnapshot? { writer.withLock(\.snapshot) }

    /// Takes the instances of `snapshot` from now on.
    ///
    /// What is known of instances that stay (calls in flight, latency, ejection, warm-up) is kept
    /// by their id. Instances in maintenance are left out; so are critical ones, unless they are
    /// too many (``Options/panicThreshold``); so are those of weight 0 while another has more.
    /// Complexity: O(n log n) at most, more for smooth weighted schedules and hash tables.
    ///
    /// - Parameters:
    ///   - snapshot: The instances.
    ///   - now: When; nil stands for the moment the snapshot was confirmed.
    public func update(_ snapshot: ServiceSnapshot, at now: ContinuousClock.Instant? = nil) {
        let moment = Ticks.at(now ?? snapshot.confirmed)
        writer.withLock { writer in
            writer.latest = max(writer.latest, moment)
            writer.snapshot = snapshot
            writer.roster.adopt(snapshot, now: writer.latest) {
                TrackerPool.shared.tracker(of: ledger)
            }
            publish(&writer)
        }
    }

    /// Decides anew who may be picked, and publishes it.
    func publish(_ writer: inout Writer) {
        guard let snapshot = writer.snapshot else { return }
        let selection = writer.roster.select(snapshot, now: writer.latest)
        let entries = selection.indices.map { entry($0, snapshot, writer.roster) }
        let plan = PickPlan(
            policy: policy,
            weights: selection.weights,
            hashes: selection.indices.map { writer.roster.members[$0].hash }
        )
        writer.tables += 1
        let content = PickTable.Content(
            generation: snapshot.generation,
            number: writer.tables,
            entries: entries,
            probes: selection.probes.map { entry($0, snapshot, writer.roster) },
            plan: plan
        )
        if case .custom(let custom) = policy.kind {
            replacePickers(custom, snapshot, entries, selection)
        }
        write(content, &writer)
        writer.selection = selection
        // After the table that lists them has been replaced.
        writer.roster.collect(TrackerPool.shared.giveBack)
        ledger.deadline = writer.roster.deadline(selection, now: writer.latest)
    }

    private func entry(
        _ index: Int,
        _ snapshot: ServiceSnapshot,
        _ roster: Roster
    ) -> PickTable.Content.Entry {
        PickTable.Content.Entry(
            endpoint: snapshot.instances[index].endpoint,
            index: index,
            tracker: roster.members[index].tracker
        )
    }

    private func replacePickers(
        _ policy: CustomPolicy,
        _ snapshot: ServiceSnapshot,
        _ entries: [PickTable.Content.Entry],
        _ selection: Roster.Selection
    ) {
        guard !entries.isEmpty else {
            for slot in custom { slot.table.withLock { $0 = nil } }
            return
        }
        let context = PickerContext(
            instances: entries.map { snapshot.instances[$0.index] },
            weights: selection.weights,
            trackers: entries.map(\.tracker)
        )
        let picker = policy.make(context)
        for slot in custom {
            let table = CustomTable(
                picker: picker,
                entries: entries,
                generation: snapshot.generation
            )
            slot.table.withLock { $0 = table }
        }
    }

    private func write(_ content: PickTable.Content, _ writer: inout Writer) {
        var target: PickTable
        if let spare = writer.spare, spare.capacity >= content.words {
            target = spare
        } else {
            if let spare = writer.spare { writer.outgrown.append(spare) }
            target = PickTable(capacity: max(content.words, 2 * writer.published.capacity))
        }
        target.write(content)
        current.store(target.bits, ordering: .sequentiallyConsistent)
        writer.spare = writer.published
        writer.published = target
    }

    /// The table to pick from now.
    @inline(__always)
    var table: PickTable { PickTable(bits: current.load(ordering: .acquiring)) }
}
