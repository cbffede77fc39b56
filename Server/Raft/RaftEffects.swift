package import Model

/// What the shell must do after a call into the core.
///
/// Order:
/// 1. `writes` go to the log in their order, behind all earlier ones, and are synced together.
/// 2. `sendNow` goes out at the same time; it need not wait for the disk, nor the disk for it.
/// 3. `sendAfterPersist` goes out when every write up to `sequence` is on disk, in order.
///    Then the shell says `RaftInput.persisted(sequence)`.
/// 4. `apply` changes the state machine, in order, behind all earlier steps; then
/// `RaftInput.applied`. 5. `answers` go to those who wait, after the apply steps of this and
/// earlier effects. 6. The rest any time.
///
/// A server that crashes may lose any of it, except that a write on disk implies every earlier
/// one.
package struct RaftEffects: Sendable {
    package var writes: [LogWrite] = []
    /// The newest write, of these or of earlier effects.
    package var sequence: UInt64 = 0
    package var sendNow: [RaftMessage] = []
    package var sendAfterPersist: [RaftMessage] = []
    package var apply: [ApplyStep] = []
    package var answers: [RaftAnswer] = []
    /// Entries to read back for followers that lag.
    package var logReads: [LogRead] = []
    /// Followers to which the newest snapshot must be sent; `RaftInput.snapshotSent` reports.
    package var snapshots: [SnapshotTransfer] = []
    package var notes: [RaftNote] = []

    package init() {}

    /// Adds a write; entries that follow entries join them.
    mutating func write(_ write: LogWrite) {
        guard case .append(let more) = write, case .append(var entries)? = writes.last else {
            writes.append(write)
            return
        }
        // Taken out first, so that the array grows in place.
        writes.removeLast()
        entries += more
        writes.append(.append(entries))
    }
}

/// A change of what is on disk.
package enum LogWrite: Hashable, Sendable {
    case hardState(HardState)
    /// Forget the entries after this index.
    case truncate(after: LogIndex)
    /// The next entries, without a gap.
    case append([Entry])
    /// Forget all entries: the log goes on behind this snapshot, which is on disk.
    case reset(SnapshotPoint)
    /// Entries up to here are no longer needed.
    case compact(through: LogIndex)
}

/// A change of the state machine.
package enum ApplyStep: Hashable, Sendable {
    /// The next committed entries; from `Raft.log` when they are there, otherwise from disk.
    case entries(ClosedRange<LogIndex>)
    /// The state of a received snapshot replaces everything.
    case restore(SnapshotPoint)
}

/// The newest snapshot on its way to a follower.
package struct SnapshotTransfer: Hashable, Sendable {
    package var peer: NodeID
    package var term: Term
    /// The least that the snapshot must include.
    package var through: LogIndex
}

/// What a waiting request is told.
package enum RaftAnswer: Hashable, Sendable {
    /// The proposal is in the log at `index`, committed and applied.
    case committed(RequestToken, LogIndex)
    /// The state machine now has everything that the read must see.
    case readable(RequestToken, LogIndex)
    /// The change of members is committed, or the transfer has ended this leader's term.
    case done(RequestToken)
    case refused(RequestToken, RaftRefusal)
}

/// Why a request was not served.
package enum RaftRefusal: Hashable, Sendable {
    /// Another server leads, as far as this one knows.
    case notLeader(leader: NodeID?)
    /// The leader is handing over; ask again soon.
    case transferring
    /// A limit is reached; ask again later.
    case overloaded
    case tooLarge(limitBytes: Int)
    /// Another entry was committed in its place: it had no effect and never will.
    case overwritten
    /// It may have had its effect or may still have it.
    case outcomeUnknown
    /// A majority does not answer.
    case unconfirmed
    case members(MemberRefusal)
    /// The transfer took longer than an election timeout, or its target cannot lead.
    case transferFailed
}

/// Why a change of members was not begun.
package enum MemberRefusal: Error, Hashable, Sendable {
    /// An earlier change is not finished, or this leader has not committed an entry of its term.
    case busy
    case unknownMember(NodeID)
    case tooManyMembers
    case noVoters
    /// The learner lacks too many entries to vote yet.
    case behind(NodeID)
    /// Too few of the new voters answer to go on afterwards.
    case quorumUnreachable
}

/// What happened, for logs and metrics.
package enum RaftNote: Hashable, Sendable {
    case becameFollower(Term, leader: NodeID?)
    case becamePreCandidate(Term)
    case becameCandidate(Term, isTransfer: Bool)
    case becameLeader(Term)
    /// A majority was silent for an election timeout.
    case lostQuorum(Term)
    case configurationChanged(PlacedConfiguration)
    /// A peer sent what no correct server sends; it was ignored.
    case implausible(from: NodeID)
    /// A leader contradicts what is committed here: logs are corrupt, or clusters are mixed up.
    case contradictsCommitted(from: NodeID, LogPosition)
    case transferBegan(to: NodeID)
    case transferAborted(to: NodeID)
}
