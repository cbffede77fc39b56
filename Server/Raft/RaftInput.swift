package import Model

/// Everything that can happen to a server.
package enum RaftInput: Hashable, Sendable {
    /// `nextDeadline` may have passed; harmless when it has not.
    case timer
    case message(RaftMessage)
    /// Commands for the log, in this order.
    case propose([Proposal])
    /// Every write up to and including this sequence number is on disk, for good.
    case persisted(sequence: UInt64)
    /// The state machine has everything up to here.
    case applied(through: LogIndex)
    /// A reader waits to be told when the state machine is recent enough.
    case read(RequestToken, ReadMode)
    /// Entries that were asked for by `RaftEffects.logReads`; empty when they are compacted.
    case entriesRead(LogRead, [Entry])
    /// A snapshot of this server's own is on disk; entries up to `compactThrough` may go.
    case snapshotTaken(SnapshotPoint, compactThrough: LogIndex)
    /// A leader's snapshot is here, whole, verified and on disk.
    case snapshotReceived(SnapshotPoint, from: NodeID, term: Term)
    /// A snapshot for a follower has been delivered, or could not be.
    case snapshotSent(to: NodeID, delivered: Bool)
    /// The transport knows that messages to this server were lost.
    case unreachable(NodeID)
    case changeMembers(RequestToken, [MemberChange])
    /// Hands leadership to a server; nil leaves the choice to the leader.
    case transferLeadership(RequestToken, to: NodeID?)
}

/// A command on its way into the log.
package struct Proposal: Hashable, Sendable {
    package var token: RequestToken
    package var payload: [UInt8]

    package init(token: RequestToken, payload: [UInt8]) {
        self.token = token
        self.payload = payload
    }
}

/// How sure a linearizable read must be.
package enum ReadMode: Hashable, Sendable {
    /// Trusts the leader's lease, hence clocks; a round to the majority when there is no lease.
    case lease
    /// A round to the majority (dissertation §6.4).
    case confirmed
}

/// A step from one set of members to another.
package enum MemberChange: Hashable, Sendable {
    /// Adds a server, or changes the address of one.
    case addLearner(NodeID, address: String)
    /// Lets a learner that has caught up vote.
    case promote(NodeID)
    /// Makes a voter a learner.
    case demote(NodeID)
    case remove(NodeID)
}

/// Entries that the shell reads back from its log and returns by `RaftInput.entriesRead`.
package struct LogRead: Hashable, Sendable {
    package var peer: NodeID
    /// The leader's term when it asked; an answer in another term is void.
    package var term: Term
    package var range: ClosedRange<LogIndex>
    /// Bytes at which to stop; at least one entry is returned.
    package var bytesLimit: Int
}
