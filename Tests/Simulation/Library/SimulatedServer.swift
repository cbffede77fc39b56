package import DurableLog
package import Model
package import Raft
import StateStore
package import Wire

/// One server: the production core with a shell whose disk, clock and network are simulated.
package struct SimulatedServer {
    package let id: NodeID
    package internal(set) var raft: Raft
    package var disk: SimulatedDisk
    package private(set) var machine: KeyValueMachine
    /// The production state machine, in a simulation of whole servers.
    package internal(set) var registry: RegistryMachine?
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
        /// The same for the production state machine, for every entry.
        package var effects: [RegistryMachine.Effect] = []
        /// Why the log could not be read; the process must end.
        package var failure: DurableLogError?
        /// Why an entry could not be applied.
        package var unreadable: WireError?
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
        registry = contents.snapshot.registry
        raft = Raft(
            settings: settings,
            hardState: contents.hardState,
            log: log,
            seed: seed,
            now: now
        )
    }

    /// A server that starts from what its real log holds.
    package init(
        settings: RaftSettings,
        disk: SimulatedDisk,
        recovered: RecoveredState,
        seed: UInt64,
        now: Instant
    ) {
        id = settings.id
        self.disk = disk
        machine = disk.durable.snapshot.machine
        let snapshot = disk.durable.snapshot.registry
        do throws(StateStreamError) {
            registry = try snapshot?.restored()
        } catch {
            preconditionFailure("a snapshot of this simulation's own: \(error.message)")
        }
        raft = Raft(
            settings: settings,
            hardState: recovered.hardState,
            log: recovered.log,
            seed: seed,
            now: now
        )
    }

    /// Handles the inputs of one turn and runs the effects.
    package mutating func step(_ inputs: [RaftInput], now: Instant) -> Output {
        var output = Output()
        var next = inputs
        while !next.isEmpty, output.failure == nil {
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
            disk.enqueue(effects, commit: raft.log.commit, received: received)
            output.writes += effects.writes
            output.hasWritten = true
        }
        for step in effects.apply {
            switch step {
            case .entries(let range): apply(range, into: &output)
            case .restore(let point):
                guard let found = received.first(where: { $0.point == point }) else { continue }
                machine = found.machine
                do throws(StateStreamError) {
                    registry = try found.registry?.restored()
                } catch {
                    output.unreadable = WireError(.value, error.message)
                }
            }
            inputs.append(.applied(through: machine.applied))
        }
        output.answers += effects.answers
        output.notes += effects.notes
        output.snapshots += effects.snapshots
        for read in effects.logReads {
            inputs.append(.entriesRead(read, entries(for: read, into: &output)))
        }
        return inputs
    }

    private mutating func apply(_ range: ClosedRange<LogIndex>, into output: inout Output) {
        var index = range.lowerBound
        var contents: SimulatedDisk.Contents?
        if registry != nil {
            applyToRegistry(range, into: &output)
            return
        }
        while index <= range.upperBound {
            if contents == nil, raft.log.entry(at: index) == nil { contents = disk.visible }
            guard let entry = raft.log.entry(at: index) ?? contents?.entry(at: index) else {
                preconditionFailure("entry \(index) is neither in memory nor on disk")
            }
            if let (operation, hasEffect) = machine.apply(entry, salt: salt) {
                output.applied.append((index, operation, hasEffect))
            }
            index = LogIndex(rawValue: index.rawValue + 1)
        }
    }

    /// The production state machine, from the real log where memory does not reach.
    private mutating func applyToRegistry(
        _ range: ClosedRange<LogIndex>,
        into output: inout Output
    ) {
        var read: [Entry] = []
        var index = range.lowerBound
        do {
            while index <= range.upperBound {
                var entry = raft.log.entry(at: index)
                if entry == nil, read.last.map({ $0.index < index }) ?? true {
                    read =
                        try disk.bytes?.entries(in: index...range.upperBound, bytesLimit: 4000)
                        ?? []
                }
                entry = entry ?? read.first { $0.index == index }
                guard let entry else {
                    preconditionFailure("entry \(index) is neither in memory nor on disk")
                }
                machine.pass(entry)
                if let effect = try registry?.apply(entry, salt: salt) {
                    output.effects.append(effect)
                }
                index = LogIndex(rawValue: index.rawValue + 1)
            }
        } catch let error as DurableLogError {
            output.failure = error
        } catch {
            output.unreadable = error as? WireError
        }
    }

    private func entries(for read: LogRead, into output: inout Output) -> [Entry] {
        if let bytes = disk.bytes {
            do {
                return try bytes.entries(in: read.range, bytesLimit: read.bytesLimit)
            } catch {
                output.failure = error
                return []
            }
        }
        let contents = disk.visible
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
        disk.newest ?? disk.visible.snapshot
    }

    /// Takes a snapshot of the present state and keeps `trailing` entries before it.
    ///
    /// Returns nil when there is nothing new to take.
    package mutating func takeSnapshot(trailing: UInt64, now: Instant) -> Output? {
        guard let point = raft.snapshotPoint, point.index == machine.applied,
            point.index > raft.log.snapshot.index
        else { return nil }
        disk.store(SimulatedDisk.Snapshot(point: point, machine: machine, registry: registry))
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
        disk.keepNewest(snapshot)
        if received.count > 4 { received.removeFirst() }
        return step([.snapshotReceived(snapshot.point, from: leader, term: term)], now: now)
    }
}
