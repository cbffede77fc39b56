import Model

/// Campaigns, votes and the changes of role.
///
/// - Source: Raft §5.2, §5.4.1; dissertation §9.6 (pre-vote), §4.2.3 (disruptive servers).
extension Raft {
    /// Draws the time of the next campaign.
    mutating func drawElectionDeadline(now: Instant) {
        let least = settings.timing.electionTimeout
        let extra = Int64.random(in: 0..<max(1, least.rawValue), using: &random)
        electionDeadline = now.advanced(by: Nanoseconds(rawValue: least.rawValue + extra))
    }

    /// Whether a leader is in office, as far as this server can know: then nobody may campaign.
    func hearsLeader(now: Instant) -> Bool {
        role == .leader || now < loyalUntil
    }

    /// Notes a sign of life from the leader of this term.
    mutating func heard(leader: NodeID, now: Instant, into effects: inout RaftEffects) {
        if role != .follower || self.leader != leader {
            becomeFollower(term, leader: leader, now: now, into: &effects)
        }
        heardLeaderAt = now
        loyalUntil = now.advanced(by: settings.timing.electionTimeout)
        drawElectionDeadline(now: now)
    }

    // MARK: Roles

    /// Follows, in this term or in a later one.
    mutating func becomeFollower(
        _ newTerm: Term,
        leader newLeader: NodeID?,
        now: Instant,
        into effects: inout RaftEffects
    ) {
        let wasLeader = role == .leader
        let wasFollower = role == .follower
        if newTerm > term {
            hardState = HardState(term: newTerm)
            writeHardState(into: &effects)
        }
        role = .follower
        votes.removeAll()
        ownVoteSequence = nil
        if leader != newLeader || !wasFollower {
            leader = newLeader
            failForwardedReads(.notLeader(leader: newLeader), into: &effects)
            effects.notes.append(.becameFollower(newTerm, leader: newLeader))
        }
        guard wasLeader else { return }
        resign(into: &effects)
        drawElectionDeadline(now: now)
        if faults.has(.forgetsElectionTimer) { electionDeadline = Instant(nanoseconds: .max) }
    }

    /// Gives up what only a leader has.
    private mutating func resign(into effects: inout RaftEffects) {
        waiting.orphan()
        failLeaderReads(.notLeader(leader: leader), into: &effects)
        if let transfer = leading.transfer {
            effects.answers.append(.done(transfer.token))
        }
        if let request = memberRequest {
            effects.answers.append(.refused(request, .outcomeUnknown))
            memberRequest = nil
        }
        leading = LeaderState()
    }

    /// Starts a campaign: asks first whether it could be won.
    mutating func campaign(now: Instant, into effects: inout RaftEffects) {
        guard role != .leader else { return }
        guard isPromotable else {
            becomeFollower(term, leader: nil, now: now, into: &effects)
            drawElectionDeadline(now: now)
            return
        }
        if faults.has(.leaksTransferFlag), wasTransferTarget {
            becomeCandidate(isTransfer: true, now: now, into: &effects)
            return
        }
        if leader != nil { failForwardedReads(.notLeader(leader: nil), into: &effects) }
        role = .preCandidate
        leader = nil
        votes.removeAll()
        ownVoteSequence = nil
        drawElectionDeadline(now: now)
        effects.notes.append(.becamePreCandidate(term))
        let request = RaftMessage.Body.preVoteRequest(last: log.lastPosition)
        for peer in configuration.everyone where peer != id && configuration.isVoter(peer) {
            effects.sendNow.append(RaftMessage(from: id, to: peer, term: term.next, body: request))
        }
        count(vote: true, of: id, now: now, into: &effects)
    }

    /// Campaigns in a new term.
    ///
    /// The requests wait until the own vote is on disk.
    mutating func becomeCandidate(
        isTransfer: Bool,
        now: Instant,
        into effects: inout RaftEffects
    ) {
        if leader != nil { failForwardedReads(.notLeader(leader: nil), into: &effects) }
        hardState = HardState(term: term.next, votedFor: id)
        writeHardState(into: &effects)
        role = .candidate
        leader = nil
        votes.removeAll()
        ownVoteSequence = sequence
        drawElectionDeadline(now: now)
        effects.notes.append(.becameCandidate(term, isTransfer: isTransfer))
        let request = RaftMessage.Body.voteRequest(last: log.lastPosition, isTransfer: isTransfer)
        for peer in configuration.everyone where peer != id && configuration.isVoter(peer) {
            sendWhenDurable(request, to: peer, into: &effects)
        }
    }

    /// Leads: writes an entry of its own term, so that earlier ones can be committed.
    ///
    /// - Source: Raft §8.
    private mutating func becomeLeader(now: Instant, into effects: inout RaftEffects) {
        role = .leader
        leader = id
        votes.removeAll()
        loyalUntil = now
        leading = LeaderState()
        leading.termStart = log.lastIndex.next
        leading.uncommittedBytes = log.uncommittedBytesInMemory
        leading.heartbeatDeadline = now.advanced(by: settings.timing.heartbeatInterval)
        followMembers(now: now)
        effects.notes.append(.becameLeader(term))
        appendAsLeader([.noop], into: &effects)
        startRound(now: now, into: &effects)
    }

    // MARK: Votes

    mutating func receivePreVoteRequest(
        _ message: RaftMessage,
        last: LogPosition,
        now: Instant,
        into effects: inout RaftEffects
    ) {
        let isFree = !hearsLeader(now: now) || faults.has(.grantsPreVoteUnderLeader)
        let granted =
            message.term > term && isFree && last.isAtLeastAsUpToDate(as: log.lastPosition)
        // A grant speaks of the campaign's term, a refusal of the voter's own.
        let answer = RaftMessage(
            from: id,
            to: message.from,
            term: granted ? message.term : term,
            body: .preVoteResponse(granted: granted)
        )
        effects.sendNow.append(answer)
    }

    mutating func receiveVoteRequest(
        _ message: RaftMessage,
        last: LogPosition,
        isTransfer: Bool,
        now: Instant,
        into effects: inout RaftEffects
    ) {
        // The leader that was heard may hold a lease in an earlier term than this one.
        let isLoyal = now < loyalUntil && !isTransfer && hardState.votedFor != message.from
        let isFree =
            (hardState.votedFor == nil && leader == nil) || hardState.votedFor == message.from
            || faults.has(.votesTwice)
        let granted = isFree && !isLoyal && last.isAtLeastAsUpToDate(as: log.lastPosition)
        if granted {
            if hardState.votedFor != message.from {
                hardState.votedFor = message.from
                writeHardState(into: &effects)
            }
            drawElectionDeadline(now: now)
        }
        sendWhenTermIsDurable(.voteResponse(granted: granted), to: message.from, into: &effects)
    }

    mutating func count(
        vote granted: Bool,
        of voter: NodeID,
        now: Instant,
        into effects: inout RaftEffects
    ) {
        // The first answer counts: a repeated message changes nothing.
        guard !votes.contains(where: { $0.voter == voter }) else { return }
        votes.append((voter: voter, granted: granted))
        let outcome = configuration.outcome { id in
            votes.first { $0.voter == id }?.granted
        }
        switch (outcome, role) {
        case (.won, .preCandidate): becomeCandidate(isTransfer: false, now: now, into: &effects)
        case (.won, .candidate): becomeLeader(now: now, into: &effects)
        case (.lost, _): becomeFollower(term, leader: nil, now: now, into: &effects)
        default: break
        }
    }
}
