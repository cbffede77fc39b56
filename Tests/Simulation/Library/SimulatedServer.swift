package import Model
package import Raft

/// One server: the production core with a shell whose disk, clock and network are simulated.
package struct SimulatedServer {
    package let id: NodeID
    package internal(set) var raft: Raft
    package var disk: SimulatedDisk
    package private(set) var machine: KeyValueMachine
    /// Snapshots that came from a leader and are on disk, for `LogWrite.reset`.
    private var received: [SimulatedDisk.Snapshot] = []
    /// Makes this machine's state differ from the others', to see whether that is noticed.
    package var salt: UInt64 = 0

    /// What a step asks of the world.
    package struct Output {
        package var messages: [RaftMessage] = []
        /// Whether a batch went to the disk.
        package var hasWritten = false
        package var writes: [LogWrite] = []
        package var answers: [RaftAnswer] = []
        package var notes: [RaftNote] = []
        package var snapshots: [SnapshotTransfer] = []
        /// Commands applied in this step, and whether they took effect.
        package var applied: [(LogIndex, Operation, Bool)] = []
    }

    /// A new server: `members` is what it starts with, empty for one that is to join.
    package init(
        settings: RaftSettings,
        members: [ClusterMember],
        seed: UInt64,
        now: Instant
    ) {
        let first = PlacedConfiguration(
            index: .zero,
            configuration: ClusterConfiguration(members: members)
        )
        let snapshot = SimulatedDisk.Snapshot(
            point: SnapshotPoint(position: .zero, configuration: first),
            machine: KeyValueMachine()
        )
        self.init(
            settings: settings,
            disk: SimulatedDisk(snapshot: snapshot),
            seed: seed,
            now: now
        )
    }

    /// A server that starts from its disk.
    package init(settings: RaftSettings, disk: SimulatedDisk, seed: UInt64, now: Instant) {
        id = settings.id
        self.disk = disk
        let contents = disk.durable
        var log = RaftLog(
            snapshot: contents.snapshot.point,
            base: contents.base,
            limits: settings.limits
        )
        for entry in contents.entries {
            let isNext = log.recover(entry)
            precondition(isNext, "a log with a gap on the disk of \(settings.id)")
        }
        machine = contents.snapshot.machine
        raft = Raft(
            settings: settings,
            hardState: contents.hardState,
            log: log,
            seed: seed,
            now: now
        )
    }

    /// Handles the inputs of one turn and runs the effects.
    package mutating func step(_ inputs: [RaftInput], now: Instant) -> Output {
        var output = Output()
        var next = inputs
        while !next.isEmpty {
            var effects = RaftEffects()
            raft.handle(next, now: now, into: &effects)
            next = run(effects, into: &output)
        }
        return output
    }

    private mutating func run(_ effects: RaftEffects, into output: inout Output) -> [RaftInput] {
        var inputs: [RaftInput] = []
        output.messages += effects.sendNow
        if !effects.writes.isEmpty || !effects.sendAfterPersist.isEmpty {
            disk.enqueue(effects, received: received)
            output.writes += effects.writes
            output.hasWritten = true
        }
        for step in effects.apply {
            switch step {
            case .entries(let range): apply(range, into: &output)
            case .restore(let point):
                guard let found = received.first(where: { $0.point == point }) else { continue }
                machine = found.machine
            }
            inputs.append(.applied(through: machine.applied))
        }
        output.answers += effects.answers
        output.notes += effects.notes
        output.snapshots += effects.snapshots
        for read in effects.logReads {
            inputs.append(.entriesRead(read, entries(for: read)))
        }
        return inputs
    }

    private mutating func apply(_ range: ClosedRange<LogIndex>, into output: inout Output) {
        var index = range.lowerBound
        var contents: SimulatedDisk.Contents?
        while index <= range.upperBound {
            if contents == nil, raft.log.entry(at: index) == nil { contents = disk.written }
            guard let entry = raft.log.entry(at: index) ?? contents?.entry(at: index) else {
                preconditionFailure("entry \(index) is neither in memory nor on disk")
            }
            if let (operation, hasEffect) = machine.apply(entry, salt: salt) {
                output.applied.append((index, operation, hasEffect))
            }
            index = LogIndex(rawValue: index.rawValue + 1)
        }
    }

    private func entries(for read: LogRead) -> [Entry] {
        let contents = disk.written
        var entries: [Entry] = []
        var index = read.range.lowerBound
        var bytes = 0
        while index <= read.range.upperBound, let entry = contents.entry(at: index) {
            bytes += entry.sizeBytes
            if !entries.isEmpty, bytes > read.bytesLimit { break }
            entries.append(entry)
            index = LogIndex(rawValue: index.rawValue + 1)
        }
        return entries
    }

    /// Finishes the oldest write; returns what may be sent now.
    package mutating func finishSync(now: Instant) -> (batch: SimulatedDisk.Batch, Output)? {
        guard let batch = disk.sync() else { return nil }
        var output = step([.persisted(sequence: batch.sequence)], now: now)
        output.messages = batch.messages + output.messages
        return (batch, output)
    }

    /// The newest snapshot, for a follower.
    package var snapshot: SimulatedDisk.Snapshot {
        disk.written.snapshot
    }

    /// Takes a snapshot of the present state and keeps `trailing` entries before it.
    ///
    /// Returns nil when there is nothing new to take.
    package mutating func takeSnapshot(trailing: UInt64, now: Instant) -> Output? {
        guard let point = raft.snapshotPoint, point.index == machine.applied,
            point.index > raft.log.snapshot.index
        else { return nil }
        disk.store(SimulatedDisk.Snapshot(point: point, machine: machine))
        let last = point.index.rawValue
        let through = LogIndex(rawValue: last > trailing ? last - trailing : 0)
        return step([.snapshotTaken(point, compactThrough: through)], now: now)
    }

    /// Takes in a snapshot that a leader sent.
    package mutating func receive(
        _ snapshot: SimulatedDisk.Snapshot,
        from leader: NodeID,
        term: Term,
        now: Instant
    ) -> Output {
        received.append(snapshot)
        if received.count > 4 { received.removeFirst() }
        return step([.snapshotReceived(snapshot.point, from: leader, term: term)], now: now)
    }
}
