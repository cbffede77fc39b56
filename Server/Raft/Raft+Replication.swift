import Model

/// How a leader brings its log to the followers.
///
/// - Source: Raft §5.3; dissertation §10.2.1 (sending in parallel with the own sync).
extension Raft {
    mutating func propose(_ proposals: [Proposal], into effects: inout RaftEffects) {
        var accepted: [Proposal] = []
        var bytes = leading.uncommittedBytes
        for proposal in proposals {
            if let refusal = refusal(of: proposal, uncommitted: bytes, accepted.count) {
                effects.answers.append(.refused(proposal.token, refusal))
                continue
            }
            bytes += Entry.overheadBytes + proposal.payload.count
            accepted.append(proposal)
        }
        guard !accepted.isEmpty else { return }
        let first = log.lastIndex.next
        for (offset, proposal) in accepted.enumerated() {
            let position = LogPosition(index: first.advanced(by: offset), term: term)
            waiting.add(proposal.token, at: position)
        }
        appendAsLeader(accepted.map { .command($0.payload) }, into: &effects)
    }

    private func refusal(
        of proposal: Proposal,
        uncommitted: Int,
        _ accepted: Int
    ) -> RaftRefusal? {
        let limits = settings.limits
        if role != .leader { return .notLeader(leader: leader) }
        if leading.transfer != nil { return .transferring }
        if proposal.payload.count > limits.proposalBytes {
            return .tooLarge(limitBytes: limits.proposalBytes)
        }
        let isFull = uncommitted + proposal.payload.count > limits.uncommittedBytes
        if uncommitted > 0, isFull { return .overloaded }
        return waiting.count + accepted >= limits.pendingProposals ? .overloaded : nil
    }

    /// Appends entries of this leader's term.
    mutating func appendAsLeader(_ bodies: [Entry.Body], into effects: inout RaftEffects) {
        var entries: [Entry] = []
        entries.reserveCapacity(bodies.count)
        for body in bodies {
            let index = log.lastIndex.advanced(by: entries.count + 1)
            entries.append(Entry(index: index, term: term, body: body))
            leading.uncommittedBytes += entries[entries.count - 1].sizeBytes
        }
        append(entries, into: &effects)
    }

    // MARK: Sending

    /// Sends every follower what it may get now.
    mutating func replicate(now: Instant, into effects: inout RaftEffects) {
        for position in leading.followers.indices {
            while sendAppend(to: position, now: now, into: &effects) {}
        }
    }

    /// Sends one append; false when there is nothing more to send now.
    private mutating func sendAppend(
        to position: Int,
        now: Instant,
        into effects: inout RaftEffects
    ) -> Bool {
        // Moved out rather than copied, so that its window is changed in place.
        var follower = Progress(id: id, next: .zero, now: now)
        swap(&follower, &leading.followers[position])
        defer { swap(&follower, &leading.followers[position]) }
        let mayAppend =
            follower.mayAppend(settings.limits)
            || (faults.has(.ignoresWindow) && follower.state == .replicate && !follower.isReading)
        guard mayAppend else {
            // The window may be full of lost appends: an empty one finds that out.
            guard follower.owesAppend, follower.state == .replicate, !follower.isReading else {
                return false
            }
            if follower.next > log.base.index {
                sendAppend([], to: &follower, into: &effects)
            } else {
                beginSnapshot(to: &follower, now: now, into: &effects)
            }
            return false
        }
        guard let previous = log.term(at: follower.next.previous), follower.next > log.base.index
        else {
            beginSnapshot(to: &follower, now: now, into: &effects)
            return false
        }
        guard follower.next <= log.lastIndex else {
            let hasNews = follower.toldCommit < log.commit || follower.owesAppend
            if follower.state == .probe || hasNews { sendAppend([], to: &follower, into: &effects) }
            return false
        }
        guard follower.next >= log.windowStart else {
            askForEntries(for: &follower, into: &effects)
            return false
        }
        let limits = settings.limits
        let entries = log.entries(
            from: follower.next,
            countLimit: limits.entriesPerAppend,
            bytesLimit: limits.bytesPerAppend
        )
        assert(entries.first.map { $0.term >= previous } ?? true)
        sendAppend(entries, to: &follower, into: &effects)
        return true
    }

    private func sendAppend(
        _ entries: [Entry],
        to follower: inout Progress,
        into effects: inout RaftEffects
    ) {
        let previous = follower.next.previous
        guard let term = log.term(at: previous) else { return }
        let append = RaftMessage.Append(
            previous: LogPosition(index: previous, term: term),
            entries: entries,
            commit: log.commit
        )
        send(.append(append), to: follower.id, into: &effects)
        follower.didSend(
            through: previous.advanced(by: entries.count),
            bytes: entries.reduce(0) { $0 + $1.sizeBytes },
            commit: log.commit
        )
    }

    private func askForEntries(
        for follower: inout Progress,
        into effects: inout RaftEffects
    ) {
        let limits = settings.limits
        let last = min(
            follower.next.advanced(by: limits.entriesPerAppend - 1),
            log.windowStart.previous
        )
        follower.isReading = true
        let read = LogRead(
            peer: follower.id,
            term: term,
            range: follower.next...max(follower.next, last),
            bytesLimit: limits.bytesPerAppend
        )
        effects.logReads.append(read)
    }

    /// Sends entries that came back from disk, if they still are what the follower needs.
    mutating func didRead(
        _ read: LogRead,
        _ entries: [Entry],
        into effects: inout RaftEffects
    ) {
        guard role == .leader, read.term == term, let position = leading.position(of: read.peer)
        else { return }
        guard leading.followers[position].isReading else { return }
        leading.followers[position].isReading = false
        guard leading.followers[position].mayAppend(settings.limits),
            let first = entries.first, first.index == leading.followers[position].next,
            entries.allSatisfy({ log.contains($0.position) })
        else { return }
        sendAppend(entries, to: &leading.followers[position], into: &effects)
    }

    // MARK: Answers

    mutating func receiveAppendResponse(
        _ response: RaftMessage.AppendResponse,
        from peer: NodeID,
        now: Instant,
        into effects: inout RaftEffects
    ) {
        guard let position = leading.position(of: peer) else { return }
        leading.followers[position].lastContact = now
        switch response {
        case .accepted(let match):
            guard match <= log.lastIndex else {
                effects.notes.append(.implausible(from: peer))
                return
            }
            didAccept(match, at: position, into: &effects)
        case .rejected(let previous, let hint):
            let meeting = log.terms.lastPosition(notAfter: hint.index, termAtMost: hint.term)
            _ = leading.followers[position].didReject(previous, retryFrom: meeting.index)
        }
    }

    private mutating func didAccept(
        _ match: LogIndex,
        at position: Int,
        into effects: inout RaftEffects
    ) {
        _ = leading.followers[position].didMatch(match)
        switch leading.followers[position].state {
        case .probe: leading.followers[position].becomeReplicate()
        case .snapshot where leading.followers[position].match >= log.base.index:
            // It has caught up with the log by itself or by a snapshot; either will do.
            leading.followers[position].becomeReplicate()
        default: break
        }
        continueTransfer(into: &effects)
    }

    /// Treats what was under way to a server as lost.
    mutating func didLose(_ peer: NodeID) {
        guard role == .leader, let position = leading.position(of: peer) else { return }
        if leading.followers[position].state == .replicate {
            leading.followers[position].becomeProbe()
        }
    }
}
