import Model

/// Handing leadership over.
///
/// - Source: dissertation §3.10.
extension Raft {
    mutating func transferLeadership(
        _ token: RequestToken,
        to wanted: NodeID?,
        now: Instant,
        into effects: inout RaftEffects
    ) {
        guard role == .leader else {
            effects.answers.append(.refused(token, .notLeader(leader: leader)))
            return
        }
        guard leading.transfer == nil else {
            effects.answers.append(.refused(token, .transferring))
            return
        }
        let target = wanted ?? bestSuccessor(now: now)
        guard let target, target != id, configuration.isVoter(target) else {
            effects.answers.append(.refused(token, .transferFailed))
            return
        }
        leading.transfer = LeaderState.Transfer(
            token: token,
            target: target,
            deadline: now.advanced(by: settings.timing.electionTimeout)
        )
        effects.notes.append(.transferBegan(to: target))
        continueTransfer(into: &effects)
    }

    /// The voter with the longest log among those that answered lately.
    func bestSuccessor(now: Instant) -> NodeID? {
        var best: Progress?
        for follower in leading.followers
        where configuration.isVoter(follower.id)
            && now.since(follower.lastContact) < settings.timing.electionTimeout
        {
            if follower.match > best?.match ?? .zero { best = follower }
        }
        return best?.id
    }

    /// Tells the target to campaign once it has the whole log.
    mutating func continueTransfer(into effects: inout RaftEffects) {
        guard let transfer = leading.transfer,
            leading.progress(of: transfer.target)?.match == log.lastIndex
        else { return }
        leading.forfeitsLease = true
        send(.timeoutNow, to: transfer.target, into: &effects)
    }

    mutating func expireTransfer(now: Instant, into effects: inout RaftEffects) {
        guard let transfer = leading.transfer, now >= transfer.deadline else { return }
        abortTransfer(into: &effects)
    }

    mutating func abortTransferIfTargetLeft(into effects: inout RaftEffects) {
        guard let transfer = leading.transfer, !configuration.isVoter(transfer.target) else {
            return
        }
        abortTransfer(into: &effects)
    }

    private mutating func abortTransfer(into effects: inout RaftEffects) {
        guard let transfer = leading.transfer else { return }
        leading.transfer = nil
        effects.answers.append(.refused(transfer.token, .transferFailed))
        effects.notes.append(.transferAborted(to: transfer.target))
    }

    /// Campaigns because the leader asks: neither a pre-vote nor loyalty stands in the way.
    mutating func receiveTimeoutNow(now: Instant, into effects: inout RaftEffects) {
        guard isPromotable else { return }
        wasTransferTarget = true
        becomeCandidate(isTransfer: true, now: now, into: &effects)
    }
}
