/// What a balancer remembers of instances from one snapshot to the next, and who may be picked.
///
/// One owner; time is an argument, in ticks.
struct Roster {
    /// The settings that decide who may be picked.
    struct Settings {
        var zone: String?
        var panicThreshold = 0.5
        var slowStart: SlowStart?
        var subset: Subset?
        var outliers: OutlierDetection?
        /// Whether the registered weights count.
        var usesWeights = true
        /// Whether calls are followed.
        var isTracking = false
    }

    /// An instance that is left out because it answered badly.
    struct Ejection {
        /// When it is over, in ticks.
        var until: Int64
        /// Whether the time is over and one call may decide.
        var isOnProbation = false
    }

    /// What is remembered of an instance.
    struct Member {
        let hash: UInt64
        var tracker = Tracker.none
        /// Since when it warms up, nil when it is warm.
        var warmingSince: Int64?
        var wasHealthy: Bool
        var ejection: Ejection?
        /// How many ejections in a row it had; falls with every review it passes.
        var ejections = 0
    }

    /// Who may be picked.
    struct Selection {
        /// Indexes in the snapshot, in its order.
        var indices: [Int] = []
        /// The weight of each, none 0.
        var weights: [UInt32] = []
        /// Indexes in the snapshot of those that one call may decide about.
        var probes: [Int] = []
        var isPanicking = false
        /// Whether weights will change with time alone.
        var isWarming = false
    }

    let settings: Settings

    /// Invariant: one for each instance of the newest snapshot, in its order.
    private(set) var members: [Member] = []

    /// The ids of the newest snapshot.
    private var ids: [InstanceID] = []

    /// Trackers of instances that have gone, until their last call ends.
    private(set) var retired: [Tracker] = []

    private var nextReview = Int64.max
    private var hasMembers = false

    init(settings: Settings) { self.settings = settings }

    /// Takes over the members of a new snapshot; what is known of those that stay is kept.
    ///
    /// - Parameters:
    ///   - snapshot: The snapshot.
    ///   - now: When, in ticks.
    ///   - makeTracker: Makes a tracker for a new instance.
    mutating func adopt(_ snapshot: ServiceSnapshot, now: Int64, makeTracker: () -> Tracker) {
        var next: [Member] = []
        next.reserveCapacity(snapshot.instances.count)
        // Both lists are ordered by id: one walk finds who stays.
        var old = 0
        for instance in snapshot.instances {
            while old < ids.count, ids[old] < instance.id {
                retire(members[old])
                old += 1
            }
            let isHealthy = instance.health <= .warning
            var member: Member
            if old < ids.count, ids[old] == instance.id {
                member = members[old]
                old += 1
            } else {
                member = Member(hash: StableHash.of(instance.id), wasHealthy: false)
            }
            if settings.isTracking, member.tracker == .none { member.tracker = makeTracker() }
            // Of the first list nobody is new: all would warm alike, which changes no share.
            if isHealthy, !member.wasHealthy, hasMembers, settings.slowStart != nil {
                member.warmingSince = now
            }
            member.wasHealthy = isHealthy
            next.append(member)
        }
        for member in members[old...] { retire(member) }
        ids = snapshot.instances.map(\.id)
        hasMembers = hasMembers || !snapshot.instances.isEmpty
        members = next
        if let outliers = settings.outliers, nextReview == .max {
            nextReview = now + max(1, Ticks.of(max(outliers.interval, .milliseconds(1))))
        }
    }

    private mutating func retire(_ member: Member) {
        if member.tracker != .none { retired.append(member.tracker) }
    }

    /// Forgets the trackers that `giveBack` takes.
    mutating func collect(_ giveBack: (Tracker) -> Bool) {
        if !retired.isEmpty { retired.removeAll(where: giveBack) }
    }

    /// When something changes by time alone, `Int64.max` for never.
    func deadline(_ selection: Selection, now: Int64) -> Int64 {
        var deadline = settings.outliers == nil ? Int64.max : nextReview
        if selection.isWarming, let slowStart = settings.slowStart {
            let step = max(1, Ticks.of(slowStart.window) / Int64(Limits.warmingSteps))
            deadline = min(deadline, now.addingReportingOverflow(step).partialValue)
        }
        for member in members {
            guard let ejection = member.ejection, !ejection.isOnProbation else { continue }
            deadline = min(deadline, ejection.until)
        }
        return deadline
    }
}

extension Roster {
    /// Looks at how calls ended, ejects and lets return.
    ///
    /// - Parameters:
    ///   - snapshot: The newest snapshot.
    ///   - now: When, in ticks.
    /// - Returns: Whether anybody's standing changed.
    mutating func review(_ snapshot: ServiceSnapshot, now: Int64) -> Bool {
        guard let outliers = settings.outliers else { return false }
        var changed = false
        for index in members.indices {
            if let ejection = members[index].ejection {
                changed = reconsider(index, ejection, outliers, now: now) || changed
            }
        }
        let instances = snapshot.instances
        let healthy = instances.indices.filter { instances[$0].health <= .warning }
        let taking = healthy.filter { members[$0].ejection == nil }
        var suspects: [Int] = []
        if let limit = outliers.consecutiveFailures.map({ UInt64(max(1, $0)) }) {
            suspects = taking.filter { members[$0].tracker.failuresInARow >= limit }
        }
        if now >= nextReview {
            nextReview = now + max(1, Ticks.of(max(outliers.interval, .milliseconds(1))))
            let counts = taking.map { members[$0].tracker.takeCounts() }
            suspects += outliers.outliers(counts).map { taking[$0] }
            let suspected = Set(suspects)
            // One ejection less in a row.
            for index in taking where !suspected.contains(index) {
                members[index].ejections = max(0, members[index].ejections - 1)
            }
        }
        var ejected = healthy.count - taking.count
        let cap = outliers.cap(of: healthy.count)
        for index in suspects where ejected < cap && members[index].ejection == nil {
            eject(index, outliers, now: now)
            ejected += 1
            changed = true
        }
        return changed
    }

    /// Moves an ejected instance on; true when its standing changed.
    private mutating func reconsider(
        _ index: Int,
        _ ejection: Ejection,
        _ outliers: OutlierDetection,
        now: Int64
    ) -> Bool {
        let tracker = members[index].tracker
        if ejection.isOnProbation {
            switch tracker.probation {
            case .none, .waiting, .trying:
                return false
            case .passed:
                restore(index, now: now)
            case .failed:
                eject(index, outliers, now: now)
            }
            return true
        }
        guard now >= ejection.until else { return false }
        switch outliers.return {
        case .immediate:
            restore(index, now: now)
        case .probe:
            members[index].ejection?.isOnProbation = true
            tracker.probation = .waiting
        }
        return true
    }

    private mutating func eject(_ index: Int, _ outliers: OutlierDetection, now: Int64) {
        var member = members[index]
        member.ejections = min(member.ejections + 1, Limits.ejectionsInARow)
        let span = outliers.ejection(number: member.ejections)
        member.ejection = Ejection(until: now.addingReportingOverflow(span).partialValue)
        member.tracker.probation = .none
        member.tracker.forgetOutcomes()
        members[index] = member
    }

    private mutating func restore(_ index: Int, now: Int64) {
        var member = members[index]
        member.ejection = nil
        member.tracker.probation = .none
        member.tracker.forgetOutcomes()
        if settings.slowStart != nil { member.warmingSince = now }
        members[index] = member
    }
}
