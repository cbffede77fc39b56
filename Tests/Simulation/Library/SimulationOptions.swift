package import Model
package import Raft

/// What one simulated run is like; every part follows from the seed unless a test sets it.
package struct SimulationOptions: Sendable {
    package var seed: UInt64
    /// Voters at the start.
    package var voters = 3
    /// Further servers that start empty and may be added.
    package var joiners = 1
    package var clients = 4
    package var keys: UInt8 = 3
    /// How long faults happen.
    package var faultyTime = Nanoseconds.seconds(6)
    /// How long the healed cluster has to converge.
    package var healedTime = Nanoseconds.seconds(20)
    package var timing = RaftTiming()
    package var limits = RaftLimits()

    /// Steps after which the servers are said never to come to rest.
    package var stepLimit = 60_000

    // The network: chances per message in 10,000, and delays.
    package var dropChance = 0
    package var duplicateChance = 0
    package var slowChance = 0
    package var delay = Nanoseconds.milliseconds(1)
    package var slowDelay = Nanoseconds.milliseconds(150)
    /// Bytes per second of one link; entries queue up behind one another, the priority lane passes.
    package var bytesPerSecond: Int64 = 20_000_000

    /// Whether a link delivers in order, as one connection does.
    package var keepsOrder = false

    // The disk.
    package var syncTime = Nanoseconds.milliseconds(1)
    package var slowSyncChance = 0

    /// Between two faults, on average.
    package var faultInterval = Nanoseconds.milliseconds(400)
    /// Which faults happen, as weights.
    package var crashWeight = 2
    package var partitionWeight = 2
    package var pauseWeight = 1
    package var memberWeight = 1
    package var transferWeight = 1
    package var healWeight = 3
    /// How long a pause lasts at most.
    package var pauseTime = Nanoseconds.milliseconds(1500)
    /// Chance in 10,000 that a fault strikes a leader rather than anybody.
    package var leaderVictimChance = 0
    /// Chance in 10,000 that a snapshot arrives a second time, much later.
    package var oldSnapshotChance = 500
    /// Chance in 10,000 that a server crashes at a write or at the end of a sync.
    package var crashAtWriteChance = 0
    /// Greatest deviation of a clock's speed, in parts per thousand.
    package var clockDrift = 20
    /// Entries after which a server takes a snapshot, and how many it keeps before it.
    package var snapshotEvery: UInt64 = 60
    package var trailing: UInt64 = 10
    /// How long the transfer of a snapshot takes at most.
    package var snapshotTime = Nanoseconds.milliseconds(80)
    /// Filling of commands, in bytes.
    package var padding = 0

    /// Whether a change of leaders is a fault, because the weather is fair.
    package var demandsStableLeader = false
    /// Whether clients go on writing while the healed cluster converges.
    package var writesWhileConverging = false

    // Whole servers: the production log on a disk of bytes and the production state machine.
    package var isWhole = false
    /// Chances in 10,000 per sync or start that the power fails at one of the next disk operations.
    package var crashAtDiskChance = 0
    /// Chance in 10,000 per sync that the disk is full until the next start.
    package var fullDiskChance = 0
    /// Chances in 10,000 per crash that acknowledged bytes are damaged, or an old image comes back.
    package var rotChance = 0
    package var oldImageChance = 0
    /// Chance in 10,000 per sync that a write lands somewhere else.
    package var strayChance = 0
    /// Starts a second cluster on a further server, with the same servers as members.
    package var bootstrapsTwice = false

    // Deliberate faults, to see that the checkers see.
    package var faults: RaftFaults = []
    package var environment: EnvironmentFaults = []

    package init(seed: UInt64) {
        self.seed = seed
    }

    /// The same for whole servers, whose disks go wrong too.
    package static func whole(seed: UInt64) -> SimulationOptions {
        var options = random(seed: seed)
        var random = RandomSource(seed: seed ^ 0xD15C)
        func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
        options.isWhole = true
        options.padding = 0
        if chance(60) { options.crashAtDiskChance = Int.random(in: 0...200, using: &random) }
        if chance(30) { options.fullDiskChance = Int.random(in: 0...100, using: &random) }
        if chance(40) { options.rotChance = 4000 }
        if chance(40) { options.oldImageChance = 4000 }
        if chance(40) { options.strayChance = 80 }
        return options
    }

    /// A run in which chance decides everything, so that each seed is a different kind of weather.
    package static func random(seed: UInt64) -> SimulationOptions {
        var options = SimulationOptions(seed: seed)
        var random = RandomSource(seed: seed ^ 0x5EED)
        func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
        options.voters = [3, 3, 3, 5, 5, 2, 4, 1][Int.random(in: 0..<8, using: &random)]
        options.joiners = Int.random(in: 0...2, using: &random)
        options.clients = Int.random(in: 2...6, using: &random)
        options.timing.heartbeatInterval = .milliseconds(100)
        if chance(60) { options.dropChance = Int.random(in: 0...1000, using: &random) }
        if chance(50) { options.duplicateChance = Int.random(in: 0...1000, using: &random) }
        if chance(50) { options.slowChance = Int.random(in: 0...1500, using: &random) }
        options.delay = .milliseconds(Int64.random(in: 1...12, using: &random))
        options.slowDelay = .milliseconds(Int64.random(in: 50...700, using: &random))
        options.syncTime = .milliseconds(Int64.random(in: 1...8, using: &random))
        if chance(40) { options.slowSyncChance = Int.random(in: 0...1000, using: &random) }
        options.faultInterval = .milliseconds(Int64.random(in: 150...900, using: &random))
        options.crashWeight = Int.random(in: 0...4, using: &random)
        options.partitionWeight = Int.random(in: 0...4, using: &random)
        options.pauseWeight = Int.random(in: 0...3, using: &random)
        options.memberWeight = Int.random(in: 0...4, using: &random)
        options.transferWeight = Int.random(in: 0...2, using: &random)
        if chance(30) { options.crashAtWriteChance = Int.random(in: 0...150, using: &random) }
        if chance(40) { options.leaderVictimChance = 6000 }
        options.clockDrift = Int.random(in: 0...50, using: &random)
        options.snapshotEvery = UInt64.random(in: 10...120, using: &random)
        options.trailing = UInt64.random(in: 0...30, using: &random)
        if chance(30) { options.padding = Int.random(in: 0...2000, using: &random) }
        if chance(40) {
            options.limits.windowBytes = 2000
            options.limits.entriesPerAppend = 4
            options.limits.appendsInFlight = 4
            options.limits.entriesPerApply = 5
            options.limits.bytesInFlight = 4000
        }
        return options
    }
}

/// Wrongs that lie outside the core: in its disk, its state machine or its shell.
package struct EnvironmentFaults: OptionSet, Sendable {
    package let rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// Disks report syncs that they forget in a crash.
    package static let losesSyncs = EnvironmentFaults(rawValue: 1)
    /// A restart finds the disk as it was some time ago.
    package static let restoresOldDisks = EnvironmentFaults(rawValue: 2)
    /// The state machine depends on the server that runs it.
    package static let divergesState = EnvironmentFaults(rawValue: 4)
    /// Logs keep nothing before a snapshot, and snapshots are taken all the time.
    package static let keepsNoTrail = EnvironmentFaults(rawValue: 8)
    /// Requests that come twice take effect twice.
    package static let appliesTwice = EnvironmentFaults(rawValue: 16)
    /// Every start of a server numbers its requests as the one before.
    package static let forgetsStarts = EnvironmentFaults(rawValue: 32)
    /// Servers talk to those of another cluster.
    package static let ignoresClusterID = EnvironmentFaults(rawValue: 64)
    /// Servers talk to a peer whose disk is an old image.
    package static let ignoresMarks = EnvironmentFaults(rawValue: 128)
    /// A start forgets what was remembered of other servers.
    package static let forgetsMarks = EnvironmentFaults(rawValue: 2048)
    /// Of a peer's disk only the openings are looked at.
    package static let trustsLastOpening = EnvironmentFaults(rawValue: 4096)
    /// The log says that a batch is on disk before it is.
    package static let commitsLate = EnvironmentFaults(rawValue: 256)
    /// The clock of a server stands still while the server does, as some do in a suspension.
    package static let stopsClocks = EnvironmentFaults(rawValue: 1024)
    /// A start throws away acknowledged entries that are damaged.
    package static let truncatesDamage = EnvironmentFaults(rawValue: 512)
}

/// A property that did not hold.
package struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Property: String, Hashable, Sendable {
        case electionSafety, voteOnce, logMatching, leaderCompleteness, stateMachineSafety
        case commitIsDurable, appliedIsDurable, appliedIsCommitted, commitIsMonotonic,
            termIsMonotonic
        case oneChangeAtATime, boundedMemory, linearizability, refusedHasNoEffect
        case durability
        case commitsOwnTerm, followsTerms, configurationIsInLog, loyalty, liveness, convergence
    }

    package var property: Property
    package var message: String
    package var seed: UInt64
    package var time: Instant

    package var description: String {
        let milliseconds = time.nanoseconds / 1_000_000
        return "\(property.rawValue) at \(milliseconds) ms, seed \(seed): \(message)"
    }
}
