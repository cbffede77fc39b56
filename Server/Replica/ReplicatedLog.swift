package import Model
package import StateMachine

/// Names a proposal within the process that made it; never reused.
///
/// It is the number of the proposal's `RequestID`.
package struct ProposalID: RawRepresentable, Hashable, Comparable, Sendable {
    package var rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    package static func < (left: ProposalID, right: ProposalID) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// An entry on its way into the log.
package struct ProposedEntry: Sendable {
    package var id: ProposalID
    /// Head and body; see `EntryHeader`.
    package var bytes: [UInt8]

    package init(id: ProposalID, bytes: [UInt8]) {
        self.id = id
        self.bytes = bytes
    }
}

/// An entry that the log guarantees to survive, at its final place.
package struct CommittedEntry: Sendable {
    package var index: LogIndex
    /// Head and body; see `EntryHeader`.
    package var bytes: [UInt8]

    package init(index: LogIndex, bytes: [UInt8]) {
        self.index = index
        self.bytes = bytes
    }
}

/// Which start of which server makes proposals here.
package struct Proposer: Hashable, Sendable {
    /// The server's id in 128 bits.
    package var origin: UInt128
    /// Drawn at random by each start.
    package var start: UInt64

    package init(origin: UInt128, start: UInt64) {
        self.origin = origin
        self.start = start
    }
}

/// What a log tells the replica, in order.
package enum ReplicationEvent: Sendable {
    /// The next entries of the log, indexes rising; the log's own entries are left out.
    ///
    /// `through` is the last index that is settled with them, at least the last entry's.
    case committed([CommittedEntry], through: LogIndex)
    /// The state as of `through` replaces everything.
    case restored(StateMachine, through: LogIndex)
    /// Proposals that will not be applied, or of which the log cannot say.
    case refused([ProposalID], ProposalError)
    /// This server became leader, or stopped being it.
    case leadershipChanged(isLeader: Bool)
    /// The log is not busy any more: what was kept from it may come.
    case ready
    /// Another server asks this one, as the leader, for something.
    case asked(LeaderRequest, answer: @Sendable (LeaderReply) -> Void)
}

/// How current a read must be.
package enum ReadRequirement: Hashable, Sendable {
    /// Has every write that was acknowledged before, as far as clocks do not run away.
    case current
    /// The same, confirmed by a majority, whatever clocks do.
    case confirmed
}

/// The log behind the write path: it takes proposals and gives them back, in one order for all
/// servers, once they are safe.
///
/// Every call is made on the replica's event loop, and `deliver` is called there too: at once from
/// inside a call, or later. A log delivers each proposal exactly once, committed or refused.
package protocol ReplicatedLog: AnyObject, Sendable {
    /// Starts the log; called once, before any proposal.
    ///
    /// `capture` gives the state machine as of the last `applied`, for a snapshot.
    func start(
        deliver: @escaping (ReplicationEvent) -> Void,
        capture: @escaping () -> StateMachine
    )

    /// Appends proposals in the order given.
    ///
    /// `resolved` is the lowest proposal that still waits for its outcome.
    func propose(_ entries: [ProposedEntry])

    /// Whether proposals gain by waiting for `ready`, because they would not be safe any sooner.
    ///
    /// A log that says so delivers `ready` soon; what comes nevertheless is taken.
    var isBusy: Bool { get }

    /// The replica has published everything up to `index`.
    func applied(through index: LogIndex)

    /// Calls back when what is published satisfies a read, or cannot be known to.
    func awaitReadable(
        _ requirement: ReadRequirement,
        completion: @escaping (ProposalError?) -> Void
    )

    /// Asks the leader, which is another server.
    func ask(_ request: LeaderRequest, completion: @escaping (LeaderReply) -> Void)

    /// Does as the leader what concerns the log's servers.
    func perform(_ request: LeaderRequest, completion: @escaping (LeaderReply) -> Void)

    /// Ends the log; calls back on the loop when what was on its way to a disk is there.
    func stop(completion: @escaping () -> Void)

    /// Who proposes here.
    var proposer: Proposer { get }
    /// What the log knows of the cluster; may be read from any thread.
    var leadership: Leadership { get }
    /// Tells from any thread whether a read may be answered at once.
    var gate: ReadGate { get }
}

extension ReplicatedLog {
    package var isBusy: Bool { false }
}
