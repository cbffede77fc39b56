import Model

/// What a follower does with its leader's log.
///
/// - Source: Raft §5.3 and figure 2, AppendEntries.
extension Raft {
    mutating func receiveAppend(
        _ append: RaftMessage.Append,
        from leader: NodeID,
        into effects: inout RaftEffects
    ) {
        // What is committed agrees; an append from before says nothing new.
        guard append.previous.index >= log.commit else {
            accept(through: log.commit, from: leader, into: &effects)
            return
        }
        guard log.contains(append.previous) else {
            reject(append, from: leader, into: &effects)
            return
        }
        // The disk does not keep up: the leader's window empties and it will send again.
        guard unsynced.count < settings.limits.writesInFlight || append.entries.isEmpty else {
            return
        }
        guard takeOver(append, from: leader, into: &effects) else { return }
        let verified = append.previous.index.advanced(by: append.entries.count)
        let bound = faults.has(.commitsUnverifiedEntries) ? log.lastIndex : verified
        log.commit(through: min(append.commit, bound))
        accept(through: verified, from: leader, into: &effects)
    }

    /// Brings the log in line with the leader's; false when it contradicts what is committed.
    private mutating func takeOver(
        _ append: RaftMessage.Append,
        from leader: NodeID,
        into effects: inout RaftEffects
    ) -> Bool {
        var kept = 0
        if !faults.has(.truncatesMatchingSuffix) {
            kept = append.entries.prefix { log.contains($0.position) }.count
        }
        let fresh = Array(append.entries.dropFirst(kept))
        let agreed = append.previous.index.advanced(by: kept)
        guard let first = fresh.first else {
            if faults.has(.truncatesMatchingSuffix) { truncate(after: agreed, into: &effects) }
            return true
        }
        if agreed < log.lastIndex {
            guard agreed >= log.commit || faults.has(.truncatesMatchingSuffix) else {
                effects.notes.append(.contradictsCommitted(from: leader, first.position))
                return false
            }
            truncate(after: agreed, into: &effects)
        }
        self.append(fresh, into: &effects)
        return true
    }

    private mutating func truncate(after index: LogIndex, into effects: inout RaftEffects) {
        guard index < log.lastIndex else { return }
        let before = log.configuration
        log.truncate(
            after: index,
            keepsConfigurations: faults.has(.keepsTruncatedConfiguration)
        )
        if !faults.has(.countsOverwrittenEntries) { unsynced.truncate(after: index) }
        write(.truncate(after: index), into: &effects)
        noteConfiguration(before: before, into: &effects)
    }

    func accept(
        through index: LogIndex,
        from leader: NodeID,
        into effects: inout RaftEffects
    ) {
        sendWhenDurable(.appendResponse(.accepted(match: index)), to: leader, into: &effects)
    }

    /// Says where the logs may meet: behind the last entry whose term the leader's can have.
    private func reject(
        _ append: RaftMessage.Append,
        from leader: NodeID,
        into effects: inout RaftEffects
    ) {
        let limit = min(append.previous.index, log.lastIndex)
        let hint = log.terms.lastPosition(notAfter: limit, termAtMost: append.previous.term)
        let answer = RaftMessage.AppendResponse.rejected(
            previous: append.previous.index,
            hint: hint
        )
        send(.appendResponse(answer), to: leader, into: &effects)
    }

    /// Answers a heartbeat, and commits what it proves.
    ///
    /// Its commit index names the term of that entry: a log that holds the
    /// same entry agrees up to there, so that nothing more needs to be sent to commit it.
    mutating func receiveHeartbeat(
        round: UInt64,
        commit: LogPosition,
        from leader: NodeID,
        into effects: inout RaftEffects
    ) {
        if faults.has(.commitsUnverifiedEntries) {
            log.commit(through: min(commit.index, log.lastIndex))
        } else if commit.index > log.commit, log.contains(commit) {
            log.commit(through: commit.index)
        }
        sendWhenTermIsDurable(.heartbeatResponse(round: round), to: leader, into: &effects)
    }
}
