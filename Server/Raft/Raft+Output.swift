import Model

/// How the core speaks: every write, message and note goes through here.
extension Raft {
    /// Asks for a write; all writes of one turn share a sequence number.
    mutating func write(_ write: LogWrite, into effects: inout RaftEffects) {
        if !unsynced.isOpen {
            sequence += 1
            unsynced.isOpen = true
        }
        effects.write(write)
    }

    mutating func writeHardState(into effects: inout RaftEffects) {
        write(.hardState(hardState), into: &effects)
        hardStateSequence = sequence
    }

    /// Appends entries to the log in memory and asks for them on disk.
    mutating func append(_ entries: [Entry], into effects: inout RaftEffects) {
        let before = log.configuration
        for entry in entries { log.append(entry) }
        write(.append(entries), into: &effects)
        noteConfiguration(before: before, into: &effects)
    }

    func noteConfiguration(before: PlacedConfiguration, into effects: inout RaftEffects) {
        guard log.configuration != before else { return }
        effects.notes.append(.configurationChanged(log.configuration))
    }

    /// Sends what promises nothing that is not on disk.
    func send(_ body: RaftMessage.Body, to peer: NodeID, into effects: inout RaftEffects) {
        effects.sendNow.append(RaftMessage(from: id, to: peer, term: term, body: body))
    }

    /// Sends what is true once everything that was written so far is on disk.
    ///
    /// - Source: Raft figure 2: updated on stable storage before responding.
    func sendWhenDurable(
        _ body: RaftMessage.Body,
        to peer: NodeID,
        into effects: inout RaftEffects
    ) {
        let message = RaftMessage(from: id, to: peer, term: term, body: body)
        if sequence == persistedSequence || faults.has(.repliesBeforeSync) {
            effects.sendNow.append(message)
        } else {
            effects.sendAfterPersist.append(message)
        }
    }

    /// Sends what is true once the term and the vote are on disk, whatever the entries do.
    ///
    /// A disk that is busy with entries must not hold up heartbeats: they promise nothing else.
    func sendWhenTermIsDurable(
        _ body: RaftMessage.Body,
        to peer: NodeID,
        into effects: inout RaftEffects
    ) {
        if hardStateSequence <= persistedSequence {
            send(body, to: peer, into: &effects)
        } else {
            sendWhenDurable(body, to: peer, into: &effects)
        }
    }

    /// Notes what is on disk, and counts this server's own vote and log.
    mutating func didPersist(
        _ through: UInt64,
        now: Instant,
        into effects: inout RaftEffects
    ) {
        guard through > persistedSequence, through <= sequence else { return }
        persistedSequence = through
        if let index = unsynced.take(through: through) {
            log.stable = max(log.stable, min(index, log.lastIndex))
        }
        log.trimWindow(through: min(log.stable, log.commit))
        if let vote = ownVoteSequence, vote <= through, role == .candidate {
            ownVoteSequence = nil
            count(vote: true, of: id, now: now, into: &effects)
        }
    }
}

/// The writes that are on their way to the disk, and how much of the log each makes safe.
struct UnsyncedWrites: Sendable {
    private struct Write: Sendable {
        var sequence: UInt64
        /// The last entry that is on disk with this write and not overwritten by a later one.
        var last: LogIndex
    }

    private var writes: [Write] = []
    /// Whether the present turn has written.
    var isOpen = false

    var count: Int { writes.count }

    mutating func closeTurn(sequence: UInt64, persisted: UInt64, _ last: LogIndex) {
        guard isOpen else { return }
        isOpen = false
        writes.append(Write(sequence: sequence, last: last))
    }

    /// Forgets that entries after `index` would be made safe: they are being overwritten, and a
    /// sync of the old ones says nothing of the new ones.
    mutating func truncate(after index: LogIndex) {
        for position in writes.indices {
            writes[position].last = min(writes[position].last, index)
        }
    }

    /// Removes the writes up to `sequence`; returns how far the log is safe with them.
    mutating func take(through sequence: UInt64) -> LogIndex? {
        let done = writes.prefix { $0.sequence <= sequence }
        defer { writes.removeFirst(done.count) }
        return done.last?.last
    }
}
