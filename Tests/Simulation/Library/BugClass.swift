import Model
package import Raft

/// One of the known ways to get Raft wrong, and how a simulation is made to contain it.
///
/// The numbers are those of the checklist that the project keeps of Raft's known bugs.
package struct BugClass: Sendable, CustomStringConvertible {
    package var number: Int
    package var name: String
    /// A seed that is known to catch it; found anew by `simulate --bugs` after a change.
    package var knownSeed: UInt64
    package var faults: RaftFaults
    package var environment: EnvironmentFaults
    /// A kind of weather in which the bug shows, in place of the random one.
    package var weather: (@Sendable (UInt64) -> SimulationOptions)?

    private init(
        _ number: Int,
        _ name: String,
        seed: UInt64,
        faults: RaftFaults = [],
        environment: EnvironmentFaults = [],
        weather: (@Sendable (UInt64) -> SimulationOptions)? = nil
    ) {
        self.number = number
        self.name = name
        knownSeed = seed
        self.faults = faults
        self.environment = environment
        self.weather = weather
    }

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

    /// What the known seed finds, or failing that any of the first `limit`; nil when none does.
    package func verdict(limit: UInt64) -> Violation? {
        Simulation(options(seed: knownSeed)).run() ?? catchingSeed(limit: limit)?.1
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
    /// Not here: 18, a core that blocks (it has no I/O that could block).
    package static let all: [BugClass] = core + environment + whole

    /// Wrongs of the core.
    private static let core: [BugClass] = [
        BugClass(
            1,
            "counts overwritten entries",
            seed: 14,
            faults: .countsOverwrittenEntries,
            weather: sluggish
        ),
        BugClass(2, "commits earlier terms", seed: 1, faults: .commitsEarlierTerms, weather: slow),
        BugClass(3, "replies before the sync", seed: 1, faults: .repliesBeforeSync),
        BugClass(4, "leader counts unsynced log", seed: 1, faults: .countsOwnUnsyncedLog),
        BugClass(5, "truncates what agrees", seed: 1, faults: .truncatesMatchingSuffix),
        BugClass(6, "never retries a probe", seed: 9, faults: .neverRetriesProbe),
        BugClass(7, "commits the unverified", seed: 2, faults: .commitsUnverifiedEntries),
        BugClass(
            8,
            "installs old snapshots",
            seed: 1,
            faults: .installsOldSnapshots,
            weather: snowy
        ),
        BugClass(
            9,
            "keeps truncated members",
            seed: 7,
            faults: .keepsTruncatedConfiguration,
            weather: restless
        ),
        BugClass(
            10,
            "leaks the transfer flag",
            seed: 7,
            faults: .leaksTransferFlag,
            weather: restless
        ),
        BugClass(11, "forgets the election timer", seed: 13, faults: .forgetsElectionTimer),
        BugClass(
            12,
            "reads before own commit",
            seed: 2,
            faults: .readsBeforeOwnCommit,
            weather: slow
        ),
        BugClass(
            13,
            "believes a lease across pauses",
            seed: 26,
            faults: .believesLeaseAcrossPause,
            weather: sleepy
        ),
        BugClass(14, "counts learners", seed: 5, faults: .countsLearners),
        BugClass(15, "pre-votes under a leader", seed: 22, faults: .grantsPreVoteUnderLeader),
        BugClass(16, "ignores terms in answers", seed: 2, faults: .ignoresTermInAnswers),
        BugClass(17, "ignores the window", seed: 7, faults: .ignoresWindow),
        BugClass(20, "votes twice", seed: 3, faults: .votesTwice),
        BugClass(
            21,
            "entries hold up heartbeats",
            seed: 1,
            faults: .ignoresPriority,
            weather: narrow
        ),
        BugClass(
            24,
            "skips the joint step",
            seed: 30,
            faults: .skipsJointConfiguration,
            weather: restless
        ),
    ]

    /// Wrongs of what is around it.
    private static let environment: [BugClass] = [
        BugClass(20, "restores old disks", seed: 1, environment: .restoresOldDisks),
        BugClass(
            22,
            "keeps no entries before a snapshot",
            seed: 4,
            environment: .keepsNoTrail,
            weather: busy
        ),
        BugClass(23, "the state diverges", seed: 1, environment: .divergesState),
        BugClass(
            30,
            "clocks stand still in a pause",
            seed: 36,
            environment: .stopsClocks,
            weather: sleepy
        ),
        BugClass(25, "disks forget syncs", seed: 1, environment: .losesSyncs),
    ]

    /// Wrongs that only whole servers can have.
    private static let whole: [BugClass] = [
        BugClass(
            19,
            "talks to another cluster",
            seed: 14,
            environment: .ignoresClusterID,
            weather: doubled
        ),
        BugClass(
            20,
            "talks to old disk images",
            seed: 1,
            environment: .ignoresMarks,
            weather: old
        ),
        BugClass(
            20,
            "forgets its peers' disks",
            seed: 1,
            environment: .forgetsMarks,
            weather: old
        ),
        BugClass(
            20,
            "trusts the last opening",
            seed: 2,
            environment: .trustsLastOpening,
            weather: old
        ),
        BugClass(26, "applies requests twice", seed: 3, environment: .appliesTwice, weather: wet),
        BugClass(
            27,
            "numbers requests as the last start did",
            seed: 1,
            environment: .forgetsStarts,
            weather: wet
        ),
        BugClass(28, "the log replies early", seed: 1, environment: .commitsLate, weather: wet),
        BugClass(
            29,
            "recovery drops what was acknowledged",
            seed: 1,
            environment: .truncatesDamage,
            weather: worn
        ),
        BugClass(
            29,
            "recovery drops what a stray write left out",
            seed: 6,
            environment: .truncatesDamage,
            weather: astray
        ),
        BugClass(25, "real disks forget syncs", seed: 1, environment: .losesSyncs, weather: wet),
        BugClass(23, "registries diverge", seed: 1, environment: .divergesState, weather: wet),
    ]

    // MARK: Weather

    /// Whole servers, many crashes, much that comes twice.
    package static func wet(_ seed: UInt64) -> SimulationOptions {
        var options = SimulationOptions.whole(seed: seed)
        options.crashWeight = 4
        options.duplicateChance = 2000
        options.crashAtDiskChance = 100
        options.oldImageChance = 0
        options.rotChance = 0
        return options
    }

    /// Whole servers whose disks rot and are put back from old images.
    package static func worn(_ seed: UInt64) -> SimulationOptions {
        var options = SimulationOptions.whole(seed: seed)
        options.voters = 3
        options.crashWeight = 8
        options.partitionWeight = 1
        options.memberWeight = 0
        options.faultInterval = .milliseconds(250)
        options.rotChance = 5000
        return options
    }

    /// Whole servers whose disks write to the wrong places.
    private static func astray(_ seed: UInt64) -> SimulationOptions {
        var options = worn(seed)
        options.rotChance = 0
        options.oldImageChance = 0
        options.strayChance = 300
        return options
    }

    /// Whole servers that are put back to old images of their disks.
    private static func old(_ seed: UInt64) -> SimulationOptions {
        var options = worn(seed)
        options.rotChance = 0
        options.oldImageChance = 10_000
        options.pauseWeight = 0
        options.partitionWeight = 2
        options.crashAtDiskChance = 0
        options.fullDiskChance = 0
        options.faultInterval = .milliseconds(700)
        options.faultyTime = .seconds(20)
        options.stepLimit = 200_000
        return options
    }

    /// A second cluster counts the same servers among its own.
    private static func doubled(_ seed: UInt64) -> SimulationOptions {
        var options = SimulationOptions.whole(seed: seed)
        options.voters = 3
        options.joiners = 0
        options.memberWeight = 0
        options.bootstrapsTwice = true
        return options
    }

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

    /// Disks that take their time, and leaders that are cut off.
    private static func sluggish(_ seed: UInt64) -> SimulationOptions {
        var options = SimulationOptions.random(seed: seed)
        options.voters = 3
        options.syncTime = .milliseconds(25)
        options.slowSyncChance = 3000
        options.partitionWeight = 6
        options.leaderVictimChance = 8000
        options.faultInterval = .milliseconds(300)
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
        options.leaderVictimChance = 5000
        options.healWeight = 2
        options.snapshotEvery = 200
        return options
    }

    /// Servers stop for longer than a lease.
    private static func sleepy(_ seed: UInt64) -> SimulationOptions {
        var options = SimulationOptions.random(seed: seed)
        options.voters = 3
        options.pauseWeight = 8
        options.pauseTime = .milliseconds(2500)
        options.partitionWeight = 0
        options.crashWeight = 0
        options.memberWeight = 0
        options.transferWeight = 0
        options.faultInterval = .milliseconds(800)
        options.leaderVictimChance = 7000
        options.delay = .milliseconds(2)
        options.clients = 8
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
        options.snapshotTime = .milliseconds(500)
        options.trailing = 400
        options.faultyTime = .seconds(3)
        options.healedTime = .seconds(8)
        return options
    }
}
