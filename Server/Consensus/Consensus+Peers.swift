import Logging
import Model
import NIOCore
import RPC
import Raft
import Replica

/// The other servers: what arrives from them, and where they are.
extension Consensus: PeerTransportDelegate {
    func transport(_ transport: PeerTransport, received messages: [PeerMessage], from peer: NodeID)
    {
        hear(messages, of: peer)
    }

    /// Does what messages of another server ask for.
    func receive(_ messages: [PeerMessage], from peer: NodeID) {
        for message in messages {
            switch message {
            case .raft(let message): inbox.append(.message(message))
            case .standing(let term, let kept):
                book.marks[peer]?.raise(term: term, acknowledged: .zero, kept: kept)
            case .forward(let writes): receive(writes, from: peer)
            case .forwardRefused(let refusals): receive(refusals, from: peer)
            case .request(let id, let kind, let body):
                receiveRequest(id, kind: kind, body, from: peer)
            case .response(let id, let failure, let body):
                receiveResponse(id, failure: failure, body)
            }
        }
        if !inbox.isEmpty { scheduleTurn() }
    }

    func transport(_ transport: PeerTransport, lost lane: PeerLane, to peer: NodeID) {
        if lane == .bulk { input(.unreachable(peer)) }
        observe(peer)
        storeMarks()
        failAsks(to: peer)
    }

    func transport(_ transport: PeerTransport, drops lane: PeerLane, to peer: NodeID) {
        if lane == .bulk { input(.unreachable(peer)) }
    }

    func transport(
        _ transport: PeerTransport,
        opened lane: PeerLane,
        to peer: NodeID,
        greeting: ServerGreeting
    ) {
        learn(greeting)
        remember(greeting)
        // What was on its way when the last connection ended may be lost.
        if raft.leader == peer, lane == .bulk { reroute(resendsSent: true) }
    }

    func transport(
        _ transport: PeerTransport,
        admits greeting: ServerGreeting,
        for kind: ConnectionKind
    ) -> GreetingAnswer {
        guard greeting.server != settings.id else {
            return .refused(
                """
                this server has the same node id: a copied data directory; delete the file \
                node-id of one of the two
                """
            )
        }
        guard greeting.datacenter == settings.datacenter else {
            return .refused(
                "this server is in datacenter \(settings.datacenter), not \(greeting.datacenter)"
            )
        }
        guard greeting.cluster == cluster || greeting.cluster == 0 || cluster == 0 else {
            return .refused(
                """
                this server belongs to another cluster; a server changes its cluster only with an \
                empty data directory
                """
            )
        }
        if kind != .hello, cluster == 0, greeting.cluster != 0 { adopt(greeting.cluster) }
        if kind != .hello, greeting.cluster == cluster, callers.count < LeaderWork.limit {
            callers.insert(greeting.server)
        }
        learn(greeting)
        if kind == .hello { considerMember(greeting) } else { remember(greeting) }
        return .accepted(ownGreeting)
    }

    /// What this server says of itself.
    var ownGreeting: ServerGreeting {
        var attributes = settings.attributes
        attributes[GreetingAttribute.join] = wantsToJoin ? "1" : nil
        if cluster == 0, settings.bootstrapExpect > 0 {
            attributes[GreetingAttribute.founder] = ServerID.text(joining.founder(of: settings.id))
        }
        return ServerGreeting(
            cluster: cluster,
            server: settings.id,
            start: start,
            configuration: raft.log.configuration.index,
            address: settings.advertisedAddress,
            nodeName: settings.nodeName,
            datacenter: settings.datacenter,
            bootstrapExpect: settings.bootstrapExpect,
            known: cluster == 0 ? joining.newcomers : knownMembers,
            attributes: attributes
        )
    }

    private var knownMembers: [KnownServer] {
        raft.configuration.members.map { member in
            KnownServer(
                id: member.id,
                address: address(of: member),
                nodeName: member.id == settings.id
                    ? settings.nodeName : greetings[member.id]?.nodeName ?? ""
            )
        }
    }

    /// Where a member is reached: where it said last, or where the log says.
    func address(of member: ClusterMember) -> String {
        if member.id == settings.id { return settings.advertisedAddress }
        return greetings[member.id]?.address ?? member.address
    }

    /// Takes note of what a server says of itself.
    func learn(_ greeting: ServerGreeting) {
        guard greeting.server != settings.id else { return }
        let old = greetings[greeting.server]
        if old == nil, greetings.count >= 256 {
            greetings = greetings.filter { raft.configuration.member($0.key) != nil }
        }
        greetings[greeting.server] = greeting
        if cluster == 0, greeting.cluster == 0 { joining.met(greeting) }
        if old?.address != greeting.address || callers.contains(greeting.server) { updatePeers() }
    }

    /// Dials the servers of the configuration, and those that have dialled this one.
    func updatePeers() {
        var peers: [NodeID: String] = [:]
        let configuration = raft.configuration
        for member in configuration.members + configuration.outgoing
        where member.id != settings.id {
            peers[member.id] = address(of: member)
        }
        for caller in callers where peers[caller] == nil {
            peers[caller] = greetings[caller]?.address
        }
        transport.setPeers(peers)
    }

    /// Follows a change of the configuration.
    func noteConfiguration(of raft: Raft) {
        guard raft.log.configuration != lastConfiguration else { return }
        lastConfiguration = raft.log.configuration
        noteMembersLeft()
        updatePeers()
    }

    /// Follows a change of the leader.
    func noteLeader(of raft: Raft) {
        guard raft.leader != lastLeader || raft.term != lastTerm || raft.isLeader != wasLeader
        else { return }
        lastLeader = raft.leader
        lastTerm = raft.term
        if raft.isLeader != wasLeader {
            wasLeader = raft.isLeader
            remoteRequests = []
            leadership.begin()
            outgoing = [:]
            deliver(.leadershipChanged(isLeader: wasLeader))
        }
        guard let leader = raft.leader else { return }
        if leader != settings.id {
            logger.info("New leader elected: payload=\(name(of: leader))")
        }
        reroute(resendsSent: false)
        retryReads()
        sendWaitingAsks()
    }
}

/// What servers tell in a greeting besides its fields.
enum GreetingAttribute {
    /// "1" when the sender wants to be a member, under the address that it names.
    static let join = "join"
    /// The id of the server that is to found the cluster, as the sender sees it.
    static let founder = "founder"
}
