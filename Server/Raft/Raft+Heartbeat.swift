package import Model

/// Rounds to the followers: they keep the leader in office, or end its term.
///
/// - Source: Raft §5.2; dissertation §6.2 (a leader without a majority steps down), §6.4.
extension Raft {
    /// The regular round; a leader that no majority answers steps down instead.
    mutating func beat(now: Instant, into effects: inout RaftEffects) {
        let contact = configuration.reached { peer in
            peer == id ? now : leading.progress(of: peer)?.lastContact ?? Instant(nanoseconds: 0)
        }
        if let contact, now.since(contact) >= settings.timing.electionTimeout {
            effects.notes.append(.lostQuorum(term))
            becomeFollower(term, leader: nil, now: now, into: &effects)
            return
        }
        expireTransfer(now: now, into: &effects)
        startRound(now: now, into: &effects)
    }

    /// Sends a heartbeat to every follower.
    mutating func startRound(now: Instant, into effects: inout RaftEffects) {
        let limit = settings.limits.roundsRemembered
        let round = leading.openRound(now: now, limit: limit)
        leading.heartbeatDeadline = now.advanced(by: settings.timing.heartbeatInterval)
        let commit = LogPosition(index: log.commit, term: log.term(at: log.commit) ?? .zero)
        for follower in leading.followers {
            send(.heartbeat(round: round, commit: commit), to: follower.id, into: &effects)
        }
    }

    mutating func receiveHeartbeatResponse(round: UInt64, from peer: NodeID, now: Instant) {
        guard let position = leading.position(of: peer), round <= leading.round else { return }
        var follower = leading.followers[position]
        follower.lastContact = now
        follower.confirmedRound = max(follower.confirmedRound, round)
        if let sentAt = leading.sendTime(of: round) {
            let end = sentAt.advanced(by: settings.timing.leaderLease)
            follower.leaseEnd = max(follower.leaseEnd, end)
        }
        if !faults.has(.neverRetriesProbe) {
            // It lives, so whatever was sent and not answered may be lost: ask again.
            follower.isProbing = false
            if follower.match < log.lastIndex { follower.owesAppend = true }
        }
        leading.followers[position] = follower
    }

    /// Whether a majority has promised not to elect another leader yet.
    func holdsLease(now: Instant) -> Bool {
        let moment = faults.has(.believesLeaseAcrossPause) ? lastTimer : now
        return leaseEnd.map { moment < $0 } ?? false
    }

    /// Until when no other server can be elected; nil when nothing is certain.
    ///
    /// Until then the commit index here is the newest there is.
    ///
    /// - Source: dissertation §6.4.1.
    package var leaseEnd: Instant? {
        guard hasCommittedInTerm, leading.transfer == nil, !leading.forfeitsLease else {
            return nil
        }
        return configuration.reached { peer in
            guard peer != id else { return Instant(nanoseconds: .max) }
            return leading.progress(of: peer)?.leaseEnd ?? Instant(nanoseconds: 0)
        }
    }

    /// Whether this leader knows everything that was ever committed.
    ///
    /// - Source: Raft §8: an entry of its own term is committed.
    var hasCommittedInTerm: Bool {
        role == .leader
            && (log.commit >= leading.termStart || faults.has(.readsBeforeOwnCommit))
    }
}
