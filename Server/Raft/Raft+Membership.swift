import Model

/// Changes of members, all by joint consensus.
///
/// A configuration counts from the moment it is in the log. A change of voters goes through a
/// joint configuration, which its leader, or a later one, leaves as soon as it is committed.
///
/// - Source: Raft §6; dissertation §4.
extension Raft {
    mutating func changeMembers(
        _ token: RequestToken,
        _ changes: [MemberChange],
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
        let target: ClusterConfiguration
        do throws(MemberRefusal) {
            target = try planned(changes, now: now)
        } catch {
            effects.answers.append(.refused(token, .members(error)))
            return
        }
        guard target != configuration else {
            effects.answers.append(.done(token))
            return
        }
        memberRequest = token
        adopt(target, now: now, into: &effects)
    }

    /// Puts a configuration into the log, joined with the present one when voters differ.
    private mutating func adopt(
        _ target: ClusterConfiguration,
        now: Instant,
        into effects: inout RaftEffects
    ) {
        var next = target
        if target.voters != configuration.voters, !faults.has(.skipsJointConfiguration) {
            let outgoing = configuration.members.filter { $0.role == .voter }
            next = ClusterConfiguration(members: target.members, outgoing: outgoing)
        }
        appendAsLeader([.configuration(next)], into: &effects)
        followMembers(now: now)
        abortTransferIfTargetLeft(into: &effects)
    }

    /// The configuration that the changes lead to.
    ///
    /// - Throws: The reason why it is not safe to go there now.
    private func planned(
        _ changes: [MemberChange],
        now: Instant
    ) throws(MemberRefusal) -> ClusterConfiguration {
        // One change at a time, and none before the leader has committed in its term: otherwise
        // two leaders could count on majorities that do not overlap (Ongaro, raft-dev, 2015).
        guard memberRequest == nil, !isJoint, hasCommittedInTerm,
            log.configuration.index <= log.commit
        else { throw .busy }
        var members = configuration.members
        for change in changes { try apply(change, to: &members) }
        let target = ClusterConfiguration(members: members)
        guard target.members.count <= settings.limits.members else { throw .tooManyMembers }
        guard !target.voters.isEmpty else { throw .noVoters }
        let contact = target.reached { peer in
            peer == id ? now : leading.progress(of: peer)?.lastContact ?? Instant(nanoseconds: 0)
        }
        guard let contact, now.since(contact) < settings.timing.electionTimeout else {
            throw .quorumUnreachable
        }
        return target
    }

    private func apply(
        _ change: MemberChange,
        to members: inout [ClusterMember]
    ) throws(MemberRefusal) {
        switch change {
        case .addLearner(let id, let address):
            if let position = members.firstIndex(where: { $0.id == id }) {
                members[position].address = address
            } else {
                members.append(ClusterMember(id: id, role: .learner, address: address))
            }
        case .promote(let id):
            let position = try position(of: id, in: members)
            guard members[position].role == .learner else { return }
            let match = leading.progress(of: id)?.match ?? .zero
            guard match.advanced(by: settings.limits.promotionLag) >= log.commit else {
                throw .behind(id)
            }
            members[position].role = .voter
        case .demote(let id):
            members[try position(of: id, in: members)].role = .learner
        case .remove(let id):
            members.remove(at: try position(of: id, in: members))
        }
    }

    private func position(
        of id: NodeID,
        in members: [ClusterMember]
    ) throws(MemberRefusal) -> Int {
        guard let position = members.firstIndex(where: { $0.id == id }) else {
            throw .unknownMember(id)
        }
        return position
    }

    // MARK: Afterwards

    /// Goes on with a change whose configuration has been committed.
    mutating func continueMemberChange(now: Instant, into effects: inout RaftEffects) {
        guard log.configuration.index <= log.commit, hasCommittedInTerm else { return }
        if isJoint {
            adopt(configuration.withoutOutgoing, now: now, into: &effects)
            return
        }
        if let request = memberRequest {
            memberRequest = nil
            effects.answers.append(.done(request))
        }
        if !configuration.isVoter(id) { leaveOffice(now: now, into: &effects) }
    }

    /// Ends the term of a leader that is no voter any more, in favour of the best follower.
    ///
    /// - Source: Raft §6: the leader steps down once it has committed the new configuration.
    private mutating func leaveOffice(now: Instant, into effects: inout RaftEffects) {
        replicate(now: now, into: &effects)
        if let successor = bestSuccessor(now: now) {
            send(.timeoutNow, to: successor, into: &effects)
        }
        becomeFollower(term, leader: nil, now: now, into: &effects)
    }

    /// Keeps a record of progress for exactly those who receive the log.
    mutating func followMembers(now: Instant) {
        let peers = configuration.everyone.filter { $0 != id }
        guard peers != leading.followers.map(\.id) else { return }
        let old = leading
        leading.followers = peers.map { peer in
            old.progress(of: peer) ?? Progress(id: peer, next: log.lastIndex.next, now: now)
        }
    }
}
