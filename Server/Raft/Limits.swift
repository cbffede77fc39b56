package import Model

/// What the core holds and sends at most; at a limit it refuses or waits, it never grows.
package struct RaftLimits: Sendable {
    /// Entries in one append; the rest follows in the next one.
    package var entriesPerAppend = 1024
    /// Bytes of entries in one append; a single larger entry still goes alone.
    package var bytesPerAppend = 512 << 10
    /// Appends under way to one follower; at the limit replication to it waits for an answer.
    package var appendsInFlight = 256
    /// Bytes under way to one follower; at the limit replication to it waits for an answer.
    package var bytesInFlight = 8 << 20
    /// Bytes of entries that are proposed and not committed; more is refused as `overloaded`.
    package var uncommittedBytes = 64 << 20
    /// Bytes of one proposal; a larger one is refused as `tooLarge`.
    package var proposalBytes = 1 << 20
    /// Bytes of recent entries kept in memory; older ones are read back from the log.
    package var windowBytes = 16 << 20
    /// Entries handed to the state machine at a time; the next batch waits for `applied`.
    package var entriesPerApply = 4096
    /// Proposals in the log and not applied; more is refused as `overloaded`.
    package var pendingProposals = 262_144
    /// Reads waiting on one server; more is refused as `overloaded`.
    package var pendingReads = 65536
    /// Log writes under way on a follower; at the limit it lets appends fall, and they are resent.
    package var writesInFlight = 1024
    /// Heartbeat rounds whose send time is remembered; an older answer does not extend the lease.
    package var roundsRemembered = 128
    /// Members, learners included; one more is refused.
    package var members = 64
    /// How far behind the commit index a learner may be when it is promoted, in entries.
    package var promotionLag = 128

    package init() {}
}

/// How fast a server acts and doubts; all of it in the time of one monotonic clock.
package struct RaftTiming: Sendable {
    /// Between heartbeats of an idle leader.
    package var heartbeatInterval = Nanoseconds.milliseconds(50)
    /// The least silence before a campaign.
    ///
    /// The actual one is drawn between this and its double, anew for every term.
    ///
    /// - Source: Raft §5.2.
    package var electionTimeout = Nanoseconds.milliseconds(500)
    /// How long a heartbeat that a majority answered, from when it was sent, allows reads.
    ///
    /// Less than `electionTimeout` by the clock drift that is allowed for.
    ///
    /// - Source: Raft dissertation §6.4.1.
    package var leaderLease = Nanoseconds.milliseconds(375)

    package init() {}
}

/// What one server is told at its start.
package struct RaftSettings: Sendable {
    package var id: NodeID
    package var timing: RaftTiming
    package var limits: RaftLimits
    /// Faults to commit on purpose; only builds for tests look at it.
    package var faults: RaftFaults = []

    package init(id: NodeID, timing: RaftTiming = .init(), limits: RaftLimits = .init()) {
        self.id = id
        self.timing = timing
        self.limits = limits
    }
}
