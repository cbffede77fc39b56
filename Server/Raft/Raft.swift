package import Model

/// One server's part in the consensus: who leads, and which entries are committed in which order.
///
/// Pure and deterministic: everything that happens comes in by `handle`, with the time; everything
/// to be done goes out as `RaftEffects`, whose documentation is the contract with the shell. Disk,
/// network, timers and the state machine are the shell's. One owner calls it, in any thread.
///
/// Inputs of one turn of the owner's loop are best handled together: entries that arrived
/// together travel in one append and reach the disk in one sync.
///
/// - Source: Ongaro and Ousterhout, "In search of an understandable consensus algorithm
///   (extended version)", 2014 ("Raft §"); Ongaro's dissertation, 2014. Choices where they leave
///   one follow etcd's raft.
package struct Raft: Sendable {
    /// What this server is at present.
    package enum Role: Hashable, Sendable {
        /// Can transition to: preCandidate, candidate (by transfer).
        case follower
        /// Asks whether it could win. Can transition to: follower, candidate.
        case preCandidate
        /// Can transition to: follower, preCandidate, leader.
        case candidate
        /// Can transition to: follower.
        case leader
    }

    package let settings: RaftSettings
    package internal(set) var role = Role.follower
    /// Whom this server follows; itself when it leads; nil when it does not know.
    package internal(set) var leader: NodeID?
    package internal(set) var hardState: HardState
    package internal(set) var log: RaftLog

    /// Votes of the present campaign, sorted by voter.
    var votes: [(voter: NodeID, granted: Bool)] = []
    /// The write that holds this candidate's own vote; counted when it is on disk.
    var ownVoteSequence: UInt64?
    /// When to campaign unless a leader is heard.
    var electionDeadline: Instant
    /// Until when votes are refused because a leader was heard (dissertation §4.2.3).
    var loyalUntil: Instant
    /// When this server last heard a leader; nil when it never did.
    package internal(set) var heardLeaderAt: Instant?
    /// What only a leader has; fresh at the start of every term that it leads.
    package internal(set) var leading = LeaderState()
    var reads = ReadState()

    /// Proposals of this leader that are not applied yet, in log order.
    var waiting = WaitingProposals()
    /// The change of members that is under way, and who asked.
    var memberRequest: RequestToken?

    /// The newest write that was asked for; counts up by one per turn that writes.
    var sequence: UInt64 = 0
    /// The newest write that holds the term and the vote.
    var hardStateSequence: UInt64 = 0
    /// The newest write that is on disk.
    var persistedSequence: UInt64 = 0
    /// How far the log reached after each write that is not on disk yet.
    var unsynced = UnsyncedWrites()
    /// The time of the last timer event.
    var lastTimer: Instant
    /// Whether a leader once asked for a campaign; only a deliberate fault looks at it.
    var wasTransferTarget = false
    var random: RandomSource

    /// A server as it was before it stopped, or a new one.
    ///
    /// - Parameters:
    ///   - settings: Its name, limits and timing.
    ///   - hardState: What its disk holds, or the empty one for a new server.
    ///   - log: Recovered from disk, or `RaftLog(snapshot:)` with the first configuration. A server
    ///     that is to join a cluster starts without members.
    ///   - seed: Different for every start of every server.
    ///   - now: The time.
    package init(
        settings: RaftSettings,
        hardState: HardState,
        log: RaftLog,
        seed: UInt64,
        now: Instant
    ) {
        self.settings = settings
        self.hardState = hardState
        self.log = log
        random = RandomSource(seed: seed)
        lastTimer = now
        // It may have answered a leader just before it stopped: the promise not to vote for an
        // election timeout, on which leases rest, must hold across the restart.
        let isNew = hardState == HardState()
        loyalUntil = isNew ? now : now.advanced(by: settings.timing.electionTimeout)
        electionDeadline = now
        reads.nextID = random.next()
        drawElectionDeadline(now: now)
        // Nobody else could be leader of a cluster of one.
        if log.configuration.configuration.voters == [settings.id], !isJoint {
            loyalUntil = now
            electionDeadline = now
        }
    }

    package var id: NodeID { settings.id }
    package var term: Term { hardState.term }
    package var isLeader: Bool { role == .leader }
    /// The configuration in force.
    package var configuration: ClusterConfiguration { log.configuration.configuration }
    var isJoint: Bool { configuration.isJoint }
    var faults: RaftFaults { settings.faults }
    /// Whether this server may campaign: it votes, or a change that takes its vote away is not
    /// committed yet, so that it may be the only one with a log that can win.
    ///
    /// - Source: dissertation §4.2.2.
    var isPromotable: Bool {
        if configuration.isVoter(id) { return true }
        return log.configuration.index > log.commit && log.formerConfiguration?.isVoter(id) == true
    }

    /// When `RaftInput.timer` is due; nil when nothing waits for time.
    package var nextDeadline: Instant? {
        if role == .leader { return leading.heartbeatDeadline }
        var deadline = reads.resendDeadline
        if isPromotable || role != .follower {
            deadline = min(deadline ?? electionDeadline, electionDeadline)
        }
        return deadline
    }

    /// Where a snapshot of the state machine as of the last `applied` input would stand; nil while
    /// a received snapshot is being restored.
    package var snapshotPoint: SnapshotPoint? {
        guard let term = log.term(at: log.applied) else { return nil }
        return SnapshotPoint(
            position: LogPosition(index: log.applied, term: term),
            configuration: log.configurations[0]
        )
    }

    // MARK: Inputs

    /// Handles one input as a turn of its own.
    package mutating func handle(
        _ input: RaftInput,
        now: Instant,
        into effects: inout RaftEffects
    ) {
        step(input, now: now, into: &effects)
        finishTurn(now: now, into: &effects)
    }

    /// Handles the inputs of one turn, in order.
    package mutating func handle(
        _ inputs: [RaftInput],
        now: Instant,
        into effects: inout RaftEffects
    ) {
        for input in inputs { step(input, now: now, into: &effects) }
        finishTurn(now: now, into: &effects)
    }

    private mutating func step(
        _ input: RaftInput,
        now: Instant,
        into effects: inout RaftEffects
    ) {
        switch input {
        case .timer: fireTimers(now: now, into: &effects)
        case .message(let message): receive(message, now: now, into: &effects)
        case .propose(let proposals): propose(proposals, into: &effects)
        case .persisted(let sequence): didPersist(sequence, now: now, into: &effects)
        case .applied(let index): didApply(through: index, into: &effects)
        case .read(let token, let mode): read(token, mode, now: now, into: &effects)
        case .entriesRead(let read, let entries): didRead(read, entries, into: &effects)
        case .snapshotTaken(let point, let through): didTakeSnapshot(point, through, &effects)
        case .snapshotReceived(let point, let from, let term):
            didReceiveSnapshot(point, from: from, term: term, now: now, into: &effects)
        case .snapshotSent(let peer, let delivered): didSendSnapshot(to: peer, delivered)
        case .unreachable(let peer): didLose(peer)
        case .changeMembers(let token, let changes):
            changeMembers(token, changes, now: now, into: &effects)
        case .transferLeadership(let token, let target):
            transferLeadership(token, to: target, now: now, into: &effects)
        }
    }

    private mutating func fireTimers(now: Instant, into effects: inout RaftEffects) {
        lastTimer = now
        if role == .leader {
            if now >= leading.heartbeatDeadline { beat(now: now, into: &effects) }
            return
        }
        if let resend = reads.resendDeadline, now >= resend {
            resendReads(now: now, into: &effects)
        }
        if now >= electionDeadline, isPromotable || role != .follower {
            campaign(now: now, into: &effects)
        }
    }

    /// Sends and applies what the inputs of the turn made possible.
    private mutating func finishTurn(now: Instant, into effects: inout RaftEffects) {
        if role == .leader {
            advanceCommit(now: now, into: &effects)
            advanceReads(now: now, into: &effects)
        }
        if role == .leader { replicate(now: now, into: &effects) }
        if role == .follower { forwardReads(now: now, into: &effects) }
        advanceApply(into: &effects)
        effects.sequence = sequence
        unsynced.closeTurn(sequence: sequence, persisted: persistedSequence, log.lastIndex)
    }
}
