import Model

/// What is committed, and how it reaches the state machine.
///
/// - Source: Raft §5.3, §5.4.2.
extension Raft {
    /// Commits what a majority has on disk, if it is of this term.
    mutating func advanceCommit(now: Instant, into effects: inout RaftEffects) {
        let own = faults.has(.countsOwnUnsyncedLog) ? log.lastIndex : log.stable
        let reached = electorate.reached { peer in
            peer == id ? own : leading.progress(of: peer)?.match ?? .zero
        }
        guard let index = reached.map({ min($0, log.lastIndex) }), index > log.commit else {
            return
        }
        // Counting replicas proves nothing about entries of earlier terms (Raft figure 8).
        guard log.term(at: index) == term || faults.has(.commitsEarlierTerms) else { return }
        let before = log.commit
        log.commit(through: index)
        var committed = before.next
        while committed <= index {
            leading.uncommittedBytes -= log.entry(at: committed)?.sizeBytes ?? 0
            committed = committed.next
        }
        leading.uncommittedBytes = max(0, leading.uncommittedBytes)
        log.trimWindow(through: min(log.stable, log.commit))
        continueMemberChange(now: now, into: &effects)
    }

    /// Whose logs count: the configuration in force.
    private var electorate: ClusterConfiguration {
        guard faults.has(.countsLearners) else { return configuration }
        let members = configuration.members.map { ClusterMember(id: $0.id, role: .voter) }
        return ClusterConfiguration(members: members, outgoing: configuration.outgoing)
    }

    /// Hands the state machine its next entries: committed, and on this server's own disk.
    mutating func advanceApply(into effects: inout RaftEffects) {
        let target = min(log.commit, log.stable)
        guard log.applied == log.applying, target > log.applying else { return }
        let first = log.applying.next
        let last = min(target, log.applying.advanced(by: settings.limits.entriesPerApply))
        log.applying = last
        effects.apply.append(.entries(first...last))
    }

    mutating func didApply(through index: LogIndex, into effects: inout RaftEffects) {
        log.markApplied(through: index)
        let log = log
        effects.answers += waiting.resolve(through: log.applied) { log.term(at: $0) }
        for read in reads.takeReady(through: log.applied) {
            effects.answers.append(.readable(read, log.applied))
        }
    }
}
