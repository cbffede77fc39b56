package import DurableLog
package import Model
package import Raft

/// One server's disk: what survives a crash, and the writes that are still on their way.
package struct SimulatedDisk {
    /// A state machine together with the place in the log where it stands.
    package struct Snapshot {
        package var point: SnapshotPoint
        package var machine: KeyValueMachine
        /// The production state machine, in a simulation of whole servers.
        package var registry: RegistryMachine?

        package init(
            point: SnapshotPoint,
            machine: KeyValueMachine,
            registry: RegistryMachine? = nil
        ) {
            self.point = point
            self.machine = machine
            self.registry = registry
        }
    }

    /// What is on disk.
    package struct Contents {
        package var hardState = HardState()
        package var snapshot: Snapshot
        /// Where the entries start.
        package var base: LogPosition
        package var entries: [Entry] = []
    }

    /// Writes of one turn, and what may be said when they are on disk.
    package struct Batch {
        package var sequence: UInt64
        package var writes: [LogWrite]
        package var messages: [RaftMessage]
        /// The commit index at the end of the turn.
        package var commit: LogIndex
        /// Received snapshots that `LogWrite.reset` refers to.
        var received: [Snapshot]
    }

    /// What a crash leaves.
    package private(set) var durable: Contents
    package private(set) var pending: [Batch] = []
    /// A disk that reports a sync and forgets it in a crash.
    package var liesAboutSyncs = false
    /// What the disk reports to hold when it lies.
    private var reported: Contents?

    /// The real log, in a simulation of whole servers.
    package private(set) var bytes: ByteLog?
    /// The newest snapshot, of its own or received, whether the log follows it yet or not.
    package private(set) var newest: Snapshot?
    /// How many of the pending batches are in the real log already.
    private var written = 0
    /// Why the real log ended; the process must end too.
    package private(set) var failure: DurableLogError?

    package init(snapshot: Snapshot) {
        durable = Contents(snapshot: snapshot, base: snapshot.point.position)
    }

    /// Contents as the running server sees them: what was written, synced or not.
    package var visible: Contents {
        var contents = reported ?? durable
        for batch in pending { contents.apply(batch.writes[...], received: batch.received) }
        return contents
    }

    mutating func enqueue(_ effects: RaftEffects, commit: LogIndex, received: [Snapshot]) {
        pending.append(
            Batch(
                sequence: effects.sequence,
                writes: effects.writes,
                messages: effects.sendAfterPersist,
                commit: commit,
                received: received
            )
        )
    }

    /// Finishes the oldest batch.
    package mutating func sync() -> Batch? {
        guard !pending.isEmpty, writeBytes() else { return nil }
        let batch = pending.removeFirst()
        if liesAboutSyncs, !batch.writes.isEmpty {
            var contents = reported ?? durable
            contents.apply(batch.writes[...], received: batch.received)
            reported = contents
        } else if reported == nil {
            durable.apply(batch.writes[...], received: batch.received)
        } else {
            reported?.apply(batch.writes[...], received: batch.received)
        }
        return batch
    }

    /// A snapshot of the server's own replaces the last one, at once and atomically.
    mutating func store(_ snapshot: Snapshot) {
        keepNewest(snapshot)
        durable.snapshot = snapshot
        reported?.snapshot = snapshot
    }

    /// Loses what was not synced, but for a prefix of the writes that chance lets through; the
    /// last one may be torn.
    package mutating func crash(using random: inout RandomSource) {
        reported = nil
        guard bytes == nil else { return }
        var survivors = Int.random(in: 0...pending.count, using: &random)
        for batch in pending where survivors > 0 {
            survivors -= 1
            if survivors > 0 {
                durable.apply(batch.writes[...], received: batch.received)
                continue
            }
            let count = Int.random(in: 0...batch.writes.count, using: &random)
            var writes = Array(batch.writes.prefix(count))
            if case .append(let entries)? = writes.last {
                let torn = Int.random(in: 0...entries.count, using: &random)
                writes[writes.count - 1] = .append(Array(entries.prefix(torn)))
            }
            durable.apply(writes[...], received: batch.received)
        }
        pending = []
    }

    /// Puts an old state back, as a restored disk image does.
    package mutating func restore(_ old: Contents) {
        durable = old
        reported = nil
        pending = []
    }

    /// Whether the entry at `position` would survive a crash now.
    package func isDurable(_ position: LogPosition) -> Bool {
        let base = durable.base.index.rawValue
        guard position.index.rawValue > base else { return true }
        let offset = Int(position.index.rawValue - base - 1)
        return offset < durable.entries.count && durable.entries[offset].term == position.term
    }
}

extension SimulatedDisk.Contents {
    mutating func apply(_ writes: ArraySlice<LogWrite>, received: [SimulatedDisk.Snapshot]) {
        for write in writes {
            switch write {
            case .hardState(let state): hardState = state
            case .append(let more): entries += more
            case .truncate(let index): keep(through: index)
            case .compact(let index): drop(through: index)
            case .reset(let point):
                guard let found = received.first(where: { $0.point == point }) else { continue }
                snapshot = found
                base = point.position
                entries = []
            }
        }
    }

    private mutating func keep(through index: LogIndex) {
        let count = Int(index.rawValue) - Int(base.index.rawValue)
        entries.removeLast(max(0, entries.count - max(0, count)))
    }

    private mutating func drop(through index: LogIndex) {
        let count = Int(index.rawValue) - Int(base.index.rawValue)
        guard count > 0, count <= entries.count else { return }
        base = entries[count - 1].position
        entries.removeFirst(count)
    }

    /// The entry at `index`, if it is here.
    package func entry(at index: LogIndex) -> Entry? {
        let offset = Int(index.rawValue) - Int(base.index.rawValue) - 1
        return entries.indices.contains(offset) ? entries[offset] : nil
    }
}

// MARK: The real log

extension SimulatedDisk {
    /// A disk with a real log on it.
    package init(server: NodeID, snapshot: Snapshot) {
        self.init(snapshot: snapshot)
        bytes = ByteLog(server: server)
    }

    /// Group commit: everything that waits goes to the real log together.
    private mutating func writeBytes() -> Bool {
        guard let bytes else { return true }
        guard failure == nil else { return false }
        if written == 0 {
            do throws(DurableLogError) {
                try bytes.write(pending[...])
            } catch {
                failure = error
                return false
            }
            written = pending.count
        }
        written -= 1
        return true
    }

    /// Notes a snapshot that is whole and on disk.
    mutating func keepNewest(_ snapshot: Snapshot) {
        guard bytes != nil, snapshot.point.index > newest?.point.index ?? .zero else { return }
        newest = snapshot
    }

    /// The process is gone: nothing that it had in memory counts.
    package mutating func stop(losingPower: Bool, using random: inout RandomSource) {
        bytes?.stop(losingPower: losingPower, using: &random)
        failure = nil
        written = 0
    }

    /// Forgets what only the process of an image knew.
    mutating func forgetProcess() {
        failure = nil
        written = 0
    }

    /// Starts the real log, and compares what it found with what must be there.
    ///
    /// Returns the state for the core, and what was lost or made up, if anything.
    package mutating func reopen(
        first: (cluster: UInt128, ClusterConfiguration)? = nil,
        limits: RaftLimits,
        number: UInt128
    ) throws(DurableLogError) -> (RecoveredState, flaw: String?) {
        guard let bytes else { preconditionFailure("a disk without bytes") }
        let cluster = bytes.cluster
        let stored = newest.map { StoredSnapshot(cluster: cluster, point: $0.point) }
        let state = try bytes.open(
            behind: stored,
            first: first,
            limits: limits,
            number: number
        )
        var found = Contents(
            hardState: state.hardState,
            snapshot: newest ?? durable.snapshot,
            base: state.log.base
        )
        while found.base.index.rawValue + UInt64(found.entries.count) < state.log.lastIndex.rawValue
        {
            let next = found.base.index.rawValue + UInt64(found.entries.count) + 1
            let range = LogIndex(rawValue: next)...state.log.lastIndex
            found.entries += try bytes.entries(in: range, bytesLimit: 1 << 20)
        }
        let flaw = first == nil ? flaw(in: found, wasReset: state.wasReset) : nil
        durable = found
        pending = []
        return (state, flaw)
    }

    /// What is there must be what was acknowledged, with a beginning of what was under way.
    private func flaw(in found: Contents, wasReset: Bool) -> String? {
        var contents = durable
        if contents.isSame(as: found) { return nil }
        for write in pending.flatMap(\.writes) {
            let steps: [LogWrite]
            if case .append(let entries) = write {
                steps = entries.map { .append([$0]) }
            } else {
                steps = [write]
            }
            for step in steps {
                if case .reset(let point) = step {
                    contents.base = point.position
                    contents.entries = []
                } else {
                    contents.apply([step], received: [])
                }
                if contents.isSame(as: found) { return nil }
            }
        }
        // Set anew behind a snapshot that was stored: less may be there, but no older term.
        if wasReset, found.entries.isEmpty, found.hardState.term >= durable.hardState.term {
            return nil
        }
        let last = found.base.index.rawValue + UInt64(found.entries.count)
        let before = durable.base.index.rawValue + UInt64(durable.entries.count)
        return "found entries up to \(last) and term \(found.hardState.term.rawValue), "
            + "acknowledged were \(before) and \(durable.hardState.term.rawValue)"
    }
}

extension SimulatedDisk.Contents {
    fileprivate func isSame(as other: SimulatedDisk.Contents) -> Bool {
        hardState == other.hardState && base == other.base && entries == other.entries
    }
}
