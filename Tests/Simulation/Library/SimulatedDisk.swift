package import Model
package import Raft

/// One server's disk: what survives a crash, and the writes that are still on their way.
package struct SimulatedDisk {
    /// A state machine together with the place in the log where it stands.
    package struct Snapshot {
        package var point: SnapshotPoint
        package var machine: KeyValueMachine

        package init(point: SnapshotPoint, machine: KeyValueMachine) {
            self.point = point
            self.machine = machine
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

    package init(snapshot: Snapshot) {
        durable = Contents(snapshot: snapshot, base: snapshot.point.position)
    }

    /// Contents as the running server sees them: what was written, synced or not.
    package var written: Contents {
        var contents = reported ?? durable
        for batch in pending { contents.apply(batch.writes[...], received: batch.received) }
        return contents
    }

    mutating func enqueue(_ effects: RaftEffects, received: [Snapshot]) {
        pending.append(
            Batch(
                sequence: effects.sequence,
                writes: effects.writes,
                messages: effects.sendAfterPersist,
                received: received
            )
        )
    }

    /// Finishes the oldest batch.
    package mutating func sync() -> Batch? {
        guard !pending.isEmpty else { return nil }
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
        durable.snapshot = snapshot
        reported?.snapshot = snapshot
    }

    /// Loses what was not synced, but for a prefix of the writes that chance lets through; the
    /// last one may be torn.
    package mutating func crash(using random: inout RandomSource) {
        reported = nil
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
