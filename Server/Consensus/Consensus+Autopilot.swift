import Autopilot
import Logging
import Model
import NIOCore
import RPC
import Raft
import Replica
import StateMachine
import StateStore

/// The leader's care for the other servers.
extension Consensus {
    func scheduleAutopilot() {
        let interval = TimeAmount.nanoseconds(Autopilot.interval.rawValue)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: interval) {
            guard !bound.value.isStopped else { return }
            bound.value.superviseServers()
            bound.value.scheduleAutopilot()
        }
    }

    /// Looks at every server, and makes the next change that autopilot asks for.
    func superviseServers() {
        guard raft.isLeader else { return }
        let review = reviewServers()
        if let refusal = review.refusal, refusal != leadership.refusal {
            logger.warning("dead servers are kept: \(refusal)")
        }
        leadership.refusal = review.refusal
        changeMembersWhenDue()
        guard let action = review.action, !leadership.isChanging else { return }
        switch action {
        case .promote(let id):
            supervise("promoting", NodeID(rawValue: id), .promote(NodeID(rawValue: id)))
        case .remove(let id):
            supervise("removing the dead", NodeID(rawValue: id), .remove(NodeID(rawValue: id)))
        }
    }

    private func supervise(_ verb: String, _ server: NodeID, _ change: MemberChange) {
        let name = name(of: server)
        logger.info("autopilot: \(verb) server: \(name)")
        self.change([change]) { [self] refusal in
            guard let refusal, raft.isLeader else { return }
            logger.warning("autopilot: \(verb) server \(name) failed: \(refusal.text)")
        }
    }

    private func reviewServers() -> AutopilotReview {
        let now = ReadGate.now
        let review = leadership.autopilot.review(
            raft.configuration.members.map { observation(of: $0, now: now) },
            leader: LogEnd(
                term: raft.log.lastPosition.term.rawValue,
                index: raft.log.lastIndex
            ),
            configuration: capture()?.store.autopilotConfiguration().value
                ?? AutopilotConfiguration(),
            now: now,
            wallClock: wallClock()
        )
        leadership.reviewed = review.servers
        return review
    }

    private func observation(of member: ClusterMember, now: Instant) -> ServerObservation {
        let isLeader = member.id == settings.id
        let progress = raft.leading.progress(of: member.id)
        let match = isLeader ? raft.log.lastIndex : progress?.match ?? .zero
        let term = raft.log.term(at: match) ?? raft.log.base.term
        return ServerObservation(
            id: member.id.rawValue,
            isVoter: member.role == .voter,
            isLeader: isLeader,
            isReachable: transport.isOpen(.priority, to: member.id),
            lastContact: progress.map { now.since($0.lastContact) },
            last: LogEnd(term: term.rawValue, index: match)
        )
    }

    /// How the servers are, for operators.
    var health: [ServerHealth] {
        let now = ReadGate.now
        if leadership.reviewed.isEmpty { _ = reviewServers() }
        return raft.configuration.members.map { member in
            let seen = observation(of: member, now: now)
            let record = leadership.reviewed.first { $0.server.id == seen.id }
            return ServerHealth(
                server: LogServer(
                    id: ServerID.text(member.id),
                    nodeName: member.id == settings.id
                        ? settings.nodeName : greetings[member.id]?.nodeName ?? "",
                    address: member.address,
                    isVoter: member.role == .voter
                ),
                lastContact: seen.isLeader ? .zero : seen.lastContact,
                lastTerm: seen.last.term,
                lastIndex: seen.last.index,
                isLeader: seen.isLeader,
                isHealthy: record?.isHealthy ?? false,
                stableSince: record?.stableSince ?? wallClock()
            )
        }
    }
}
