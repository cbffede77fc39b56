package import Model

/// The limits of the write path and what happens at each.
package struct ReplicaLimits: Sendable {
    /// Proposals waiting for the log; one more is refused with `ProposalError.overloaded`.
    package var pendingProposals = 65_536
    /// Encoded bytes waiting for the log; more is refused with `ProposalError.overloaded`.
    package var pendingBytes = 64 << 20
    /// Proposals handed to the log in one turn; the rest follow in the next turn.
    package var batchedProposals = 1_024
    /// Encoded bytes of one command; a larger one is refused with `ProposalError.tooLarge`.
    package var commandBytes = 4 << 20
    /// Bytes of a user's archive in one entry of the log.
    package var restorePieceBytes = 512 << 10
    /// Commits after a read whose state is prepared at once, because another read is likely.
    package var eagerCommits = 16
    /// Change sets a loop may leave unread; past that it forgets them and wakes every watch.
    package var unreadChanges = 256
    /// How long a deleted key's index is remembered.
    package var tombstoneLifetime = Nanoseconds.seconds(15 * 60)
    /// How exactly tombstones are forgotten; one command is proposed per step.
    package var tombstoneGranularity = Nanoseconds.seconds(30)
    /// Steps remembered for tombstone reaping; the oldest two are merged past that.
    package var tombstoneSteps = 64

    package init() {}
}
