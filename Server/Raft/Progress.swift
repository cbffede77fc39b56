import DequeModule
package import Model

/// What a leader knows of one follower, and how it sends to it.
///
/// - Source: etcd's `tracker.Progress`: probe, replicate, snapshot.
package struct Progress: Sendable {
    /// How appends flow.
    package enum State: Hashable, Sendable {
        /// The follower's log is not known: one append, then its answer.
        /// Can transition to: replicate, snapshot.
        case probe
        /// The logs meet: appends are sent ahead of their answers.
        /// Can transition to: probe, snapshot.
        case replicate
        /// It needs entries that are compacted: nothing is sent until the snapshot is there.
        /// Can transition to: probe, replicate.
        case snapshot(through: LogIndex)
    }

    package let id: NodeID
    package internal(set) var state = State.probe
    /// The last entry known to agree and to be on its disk.
    package internal(set) var match = LogIndex.zero
    /// The next entry to send.
    ///
    /// Invariant: `match < next`.
    package internal(set) var next: LogIndex
    /// Whether a probe is under way, so that no other is sent.
    var isProbing = false
    /// Whether entries for it are being read back from disk.
    var isReading = false
    /// The commit index that it was last told.
    var toldCommit = LogIndex.zero
    /// Whether an append is due even when there is nothing to say.
    var owesAppend = true
    /// When it last answered in this term; the start of the term or of its membership before.
    package internal(set) var lastContact: Instant
    /// The newest heartbeat round that it answered.
    var confirmedRound: UInt64 = 0
    /// Until when its answers support the leader's lease.
    var leaseEnd = Instant(nanoseconds: 0)
    private var inFlight: Deque<Flight> = []
    package private(set) var bytesInFlight = 0

    private struct Flight: Sendable {
        var last: LogIndex
        var bytes: Int
    }

    init(id: NodeID, next: LogIndex, now: Instant) {
        self.id = id
        self.next = next
        lastContact = now
    }

    package var appendsInFlight: Int { inFlight.count }

    /// Whether another append with entries may be sent now.
    func mayAppend(_ limits: RaftLimits) -> Bool {
        switch state {
        case .probe: !isProbing && !isReading
        case .replicate:
            !isReading && inFlight.count < limits.appendsInFlight
                && bytesInFlight < limits.bytesInFlight
        case .snapshot: false
        }
    }

    /// Notes an append on its way.
    mutating func didSend(through last: LogIndex, bytes: Int, commit: LogIndex) {
        owesAppend = false
        toldCommit = max(toldCommit, commit)
        switch state {
        case .probe: isProbing = true
        case .replicate:
            guard last >= next else { return }
            next = last.next
            inFlight.append(Flight(last: last, bytes: bytes))
            bytesInFlight += bytes
        case .snapshot: break
        }
    }

    /// Notes that the follower has everything up to `index`; false when that was known.
    mutating func didMatch(_ index: LogIndex) -> Bool {
        while let flight = inFlight.first, flight.last <= index {
            inFlight.removeFirst()
            bytesInFlight -= flight.bytes
        }
        isProbing = false
        next = max(next, index.next)
        guard index > match else { return false }
        match = index
        return true
    }

    /// Notes a rejection of the append behind `rejected`; false when it is an old one.
    mutating func didReject(_ rejected: LogIndex, retryFrom hint: LogIndex) -> Bool {
        switch state {
        case .snapshot: return false
        case .replicate:
            guard rejected > match else { return false }
            becomeProbe()
        case .probe:
            guard next.previous == rejected else { return false }
            isProbing = false
        }
        next = max(match, min(rejected.previous, hint)).next
        return true
    }

    mutating func becomeProbe() {
        if case .snapshot(let through) = state {
            next = max(match, through).next
        } else {
            next = match.next
        }
        enter(.probe)
    }

    mutating func becomeReplicate() {
        next = match.next
        enter(.replicate)
    }

    mutating func becomeSnapshot(through index: LogIndex) {
        enter(.snapshot(through: index))
    }

    /// Gives up on a snapshot that did not arrive.
    mutating func abandonSnapshot() {
        enter(.probe)
        next = match.next
        // Wait for a sign of life before trying again.
        isProbing = true
    }

    private mutating func enter(_ state: State) {
        self.state = state
        isProbing = false
        isReading = false
        inFlight.removeAll()
        bytesInFlight = 0
    }
}
