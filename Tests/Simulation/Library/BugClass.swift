import Model
package import Raft

/// One of the known ways to get Raft wrong, and how a simulation is made to contain it.
///
/// The numbers are those of the checklist that the project keeps of Raft's known bugs.
package struct BugClass: Sendable, CustomStringConvertible {
    package var number: Int
    package var name: String
    package var faults: RaftFaults = []
    package var environment: EnvironmentFaults = []
    /// A kind of weather in which the bug shows, in place of the random one.
    package var weather: (@Sendable (UInt64) -> SimulationOptions)?

    package var description: String { "\(number) \(name)" }

    /// The same weather without the bug; such a run must not fail.
    package func innocentOptions(seed: UInt64) -> SimulationOptions {
        weather.map { $0(seed) } ?? .random(seed: seed)
    }

    /// The run of one seed with the bug in it.
    package func options(seed: UInt64) -> SimulationOptions {
        var options = innocentOptions(seed: seed)
        options.faults = faults
        options.environment = environment
        return options
    }

    /// Runs seeds until one fails; nil when none of the first `limit` does.
    package func catchingSeed(limit: UInt64) -> (seed: UInt64, Violation)? {
        for seed in 1...limit {
            if let violation = Simulation(options(seed: seed)).run() { return (seed, violation) }
        }
        return nil
    }

    /// Every class that a simulation of the core can express.
    ///
    /// Not here: 18, a core that blocks (it has no I/O that could block); 19, a second bootstrap
    /// (the cluster's name is checked by the transport's handshake and the log's header).
    package static let all: [BugClass] = [
        BugClass(number: 1, name: "counts overwritten entries", faults: .countsOverwrittenEntries),
        BugClass(
            number: 2,
            name: "commits earlier terms",
            faults: .commitsEarlierTerms,
            weather: slow
        ),
        BugClass(number: 3, name: "replies before the sync", faults: .repliesBeforeSync),
        BugClass(number: 4, name: "leader counts unsynced log", faults: .countsOwnUnsyncedLog),
        BugClass(number: 5, name: "truncates what agrees", faults: .truncatesMatchingSuffix),
        BugClass(number: 6, name: "never retries a probe", faults: .neverRetriesProbe),
        BugClass(number: 7, name: "commits the unverified", faults: .commitsUnverifiedEntries),
        BugClass(
            number: 8,
            name: "installs old snapshots",
            faults: .installsOldSnapshots,
            weather: snowy
        ),
        BugClass(
            number: 9,
            name: "keeps truncated members",
            faults: .keepsTruncatedConfiguration,
            weather: restless
        ),
        BugClass(
            number: 10,
            name: "leaks the transfer flag",
            faults: .leaksTransferFlag,
            weather: restless
        ),
        BugClass(number: 11, name: "forgets the election timer", faults: .forgetsElectionTimer),
        BugClass(number: 12, name: "reads before own commit", faults: .readsBeforeOwnCommit),
        BugClass(
            number: 13,
            name: "believes a lease across pauses",
            faults: .believesLeaseAcrossPause,
            weather: sleepy
        ),
        BugClass(number: 14, name: "counts learners", faults: .countsLearners),
        BugClass(
            number: 15,
            name: "pre-votes under a leader",
            faults: .grantsPreVoteUnderLeader
        ),
        BugClass(number: 16, name: "ignores terms in answers", faults: .ignoresTermInAnswers),
        BugClass(number: 17, name: "ignores the window", faults: .ignoresWindow),
        BugClass(number: 20, name: "votes twice", faults: .votesTwice),
        BugClass(number: 20, name: "restores old disks", environment: .restoresOldDisks),
        BugClass(
            number: 21,
            name: "entries hold up heartbeats",
            faults: .ignoresPriority,
            weather: narrow
        ),
        BugClass(
            number: 22,
            name: "keeps no entries before a snapshot",
            environment: .keepsNoTrail,
            weather: busy
        ),
        BugClass(number: 23, name: "the state diverges", environment: .divergesState),
        BugClass(number: 24, name: "skips the joint step", faults: .skipsJointConfiguration),
        BugClass(number: 25, name: "disks forget syncs", environment: .losesSyncs),
    ]

    // MARK: Weather

    /// One entry at a time, and leaders that come and go before it is everywhere.
    private static func slow(_ seed: UInt64) -> SimulationOptions {
        var options = SimulationOptions.random(seed: seed)
        options.voters = 5
        options.joiners = 0
        options.clients = 6
        options.limits.entriesPerAppend = 1
        options.limits.appendsInFlight = 1
        options.delay = .milliseconds(30)
        options.dropChance = 0
        options.slowChance = 0
        options.crashWeight = 4
        options.partitionWeight = 4
        options.pauseWeight = 4
        options.memberWeight = 0
        options.transferWeight = 8
        options.healWeight = 4
        options.leaderVictimChance = 7000
        options.faultInterval = .milliseconds(120)
        options.faultyTime = .seconds(12)
        return options
    }

    /// Snapshots all the time, and many of them late.
    private static func snowy(_ seed: UInt64) -> SimulationOptions {
        var options = SimulationOptions.random(seed: seed)
        options.voters = 3
        options.snapshotEvery = 8
        options.trailing = 2
        options.crashWeight = 4
        options.oldSnapshotChance = 5000
        return options
    }

    /// Members change and leaders hand over all the time.
    private static func restless(_ seed: UInt64) -> SimulationOptions {
        var options = SimulationOptions.random(seed: seed)
        options.voters = 3
        options.joiners = 2
        options.memberWeight = 6
        options.transferWeight = 4
        options.partitionWeight = 4
        options.faultInterval = .milliseconds(150)
        return options
    }

    /// Servers stop for longer than a lease.
    private static func sleepy(_ seed: UInt64) -> SimulationOptions {
        var options = SimulationOptions.random(seed: seed)
        options.voters = 3
        options.pauseWeight = 8
        options.clients = 6
        options.faultInterval = .milliseconds(250)
        return options
    }

    /// Fair weather, large entries, narrow links.
    package static func narrow(_ seed: UInt64) -> SimulationOptions {
        var options = SimulationOptions(seed: seed)
        options.padding = 100_000
        options.bytesPerSecond = 200_000
        options.keepsOrder = true
        options.faultyTime = .seconds(8)
        options.crashWeight = 0
        options.partitionWeight = 0
        options.pauseWeight = 0
        options.memberWeight = 0
        options.transferWeight = 0
        options.demandsStableLeader = true
        options.healedTime = .seconds(60)
        return options
    }

    /// Clients never stop, and a server has to catch up meanwhile.
    package static func busy(_ seed: UInt64) -> SimulationOptions {
        var options = SimulationOptions(seed: seed)
        options.clients = 8
        options.crashWeight = 4
        options.partitionWeight = 4
        options.writesWhileConverging = true
        return options
    }
}
