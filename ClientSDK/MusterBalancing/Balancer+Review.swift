import Synchronization

extension Balancer {
    /// Looks at how calls ended, ejects, lets return and warms up, and publishes what changed.
    ///
    /// Picks that are told the time do this by themselves when it is due. Call it from a timer when
    /// picks are rare, or to keep this work (see ``update(_:at:)`` for how much) off the calls.
    ///
    /// - Parameter now: When.
    /// - Returns: When it should be called next, nil when time alone changes nothing.
    @discardableResult
    public func review(at now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        let deadline = writer.withLock { writer in
            review(&writer, at: Ticks.at(now))
            return ledger.deadline
        }
        return deadline == .max ? nil : Ticks.instant(deadline)
    }

    /// The same, unless another thread is at it.
    func reviewIfIdle(at now: Int64?) {
        _ = writer.withLockIfAvailable { writer in review(&writer, at: now) }
    }

    private func review(_ writer: inout Writer, at now: Int64?) {
        let rung = ledger.answer()
        writer.latest = max(writer.latest, rung ?? .min, now ?? .min)
        guard let snapshot = writer.snapshot else { return }
        let isDue = writer.latest >= ledger.deadline
        guard rung != nil || isDue else { return }
        let changed = writer.roster.review(snapshot, now: writer.latest)
        if changed || writer.selection.isWarming {
            publish(&writer)
        } else {
            ledger.deadline = writer.roster.deadline(writer.selection, now: writer.latest)
        }
    }

    /// Who takes calls now and why, for metrics and for eyes.
    public var status: BalancerStatus {
        writer.withLock { writer in
            guard let snapshot = writer.snapshot else { return BalancerStatus() }
            var status = BalancerStatus()
            status.instances = snapshot.instances.count
            status.eligible = writer.selection.indices.map { snapshot.instances[$0].id }
            status.isPanicking = writer.selection.isPanicking
            status.isWarming = writer.selection.isWarming
            for (instance, member) in zip(snapshot.instances, writer.roster.members) {
                status.inFlight += member.tracker.inFlight
                guard let ejection = member.ejection else { continue }
                status.ejected.append(instance.id)
                if ejection.isOnProbation { status.onProbation.append(instance.id) }
            }
            return status
        }
    }
}

/// Who takes calls now and why; see ``Balancer/status``.
public struct BalancerStatus: Hashable, Sendable {
    /// How many instances the snapshot has.
    public var instances = 0

    /// Those that may be picked, ordered by id.
    public var eligible: [InstanceID] = []

    /// Those that are left out because they answered badly, ordered by id.
    public var ejected: [InstanceID] = []

    /// Those among the ejected whose time is over and about which one call decides.
    public var onProbation: [InstanceID] = []

    /// Whether unhealthy or ejected instances are picked because too few others are left.
    public var isPanicking = false

    /// Whether an instance is still warming up.
    public var isWarming = false

    /// Calls in flight, as far as the policy or outlier detection makes the balancer count them.
    public var inFlight = 0

    /// Makes the status of a balancer without instances.
    public init() {}
}
