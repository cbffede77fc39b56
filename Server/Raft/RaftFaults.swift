/// The known ways to get Raft wrong, each of which a test can switch on.
///
/// The simulator proves that it sees by catching them. In a build without `DEBUG` or
/// `RAFT_FAULTS` the question `has` is the constant false, and the wrong branches are gone.
package struct RaftFaults: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    private init(bit: UInt64) {
        rawValue = 1 << bit
    }

    /// Counts writes and acknowledgements of entries that were overwritten since.
    package static let countsOverwrittenEntries = RaftFaults(bit: 1)
    /// Commits an entry of an earlier term because a majority has it.
    package static let commitsEarlierTerms = RaftFaults(bit: 2)
    /// Sends votes and acknowledgements before what they promise is on disk.
    package static let repliesBeforeSync = RaftFaults(bit: 3)
    /// The leader counts its own log before its own sync.
    package static let countsOwnUnsyncedLog = RaftFaults(bit: 4)
    /// Truncates behind every append, even where the entries agree.
    package static let truncatesMatchingSuffix = RaftFaults(bit: 5)
    /// Waits for ever for the answer to a probe that was lost.
    package static let neverRetriesProbe = RaftFaults(bit: 6)
    /// Believes the leader's commit index beyond the last entry that the message verified.
    package static let commitsUnverifiedEntries = RaftFaults(bit: 7)
    /// Installs any snapshot, older ones too.
    package static let installsOldSnapshots = RaftFaults(bit: 8)
    /// Keeps a configuration whose entry was truncated.
    package static let keepsTruncatedConfiguration = RaftFaults(bit: 9)
    /// Marks every later campaign as a transfer of leadership.
    package static let leaksTransferFlag = RaftFaults(bit: 10)
    /// Does not set the election timer when a leader steps down.
    package static let forgetsElectionTimer = RaftFaults(bit: 11)
    /// Serves reads before an entry of the leader's own term is committed.
    package static let readsBeforeOwnCommit = RaftFaults(bit: 12)
    /// Believes the lease by the time of the last timer event, not by the time it is.
    package static let believesLeaseAcrossPause = RaftFaults(bit: 13)
    /// Counts learners for commitment.
    package static let countsLearners = RaftFaults(bit: 14)
    /// Grants pre-votes while it hears a leader.
    package static let grantsPreVoteUnderLeader = RaftFaults(bit: 15)
    /// Ignores a higher term in an answer.
    package static let ignoresTermInAnswers = RaftFaults(bit: 16)
    /// Sends without regard to the in-flight window.
    package static let ignoresWindow = RaftFaults(bit: 17)
    /// Votes twice in one term.
    package static let votesTwice = RaftFaults(bit: 20)
    /// Sends heartbeats and votes in the lane of the entries.
    package static let ignoresPriority = RaftFaults(bit: 21)
    /// Changes members without a joint configuration.
    package static let skipsJointConfiguration = RaftFaults(bit: 24)

    /// Whether the fault is committed; constantly false in release builds.
    @inline(__always)
    func has(_ fault: RaftFaults) -> Bool {
        #if DEBUG || RAFT_FAULTS
        contains(fault)
        #else
        false
        #endif
    }
}
