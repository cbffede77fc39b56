import Autopilot
import Logging
import Model
import NIOCore
import RPC
import Raft
import Replica

/// What a leader wants of the configuration and has not got yet.
struct LeaderWork {
    /// Servers that want to be members, as they said last.
    var candidates: [NodeID: ServerGreeting] = [:]
    /// Whether a change of members is under way.
    var isChanging = false
    var autopilot = Autopilot()
    /// What autopilot found at its last look.
    var reviewed: [ServerRecord] = []
    /// Why it does not remove dead servers, as said last.
    var refusal: RemovalRefusal?

    /// Candidates that are remembered; further ones must ask again.
    static let limit = 64

    /// Forgets what an earlier term wanted.
    mutating func begin() {
        self = LeaderWork()
    }
}

/// Members: who is let in, under which address, and who goes.
extension Consensus {
    /// A server that greets may want to be a member.
    func considerMember(_ greeting: ServerGreeting) {
        guard greeting.attributes[GreetingAttribute.join] == "1", cluster != 0 else { return }
        if raft.isLeader {
            wantMember(greeting)
        } else if let leader = raft.leader {
            let id = nextToken
            nextToken += 1
            transport.send(
                .request(id: id, kind: PeerRequestKind.join.rawValue, body: greeting.encoded),
                to: leader
            )
            transport.flush()
        }
    }

    /// Lets a server in as a learner, or follows it to another address, as soon as possible.
    func wantMember(_ greeting: ServerGreeting) {
        guard raft.isLeader, greeting.cluster == 0 || greeting.cluster == cluster,
            greeting.datacenter == settings.datacenter, greeting.server != settings.id,
            raft.configuration.member(greeting.server)?.address != greeting.address,
            leadership.candidates.count < LeaderWork.limit
        else { return }
        learn(greeting)
        leadership.candidates[greeting.server] = greeting
        changeMembersWhenDue()
    }

    /// Begins the next change that is wanted.
    func changeMembersWhenDue() {
        guard raft.isLeader, !leadership.isChanging else { return }
        followOwnAddress()
        guard !leadership.isChanging,
            let greeting = leadership.candidates.values.min(by: { $0.server < $1.server })
        else { return }
        leadership.candidates[greeting.server] = nil
        var changes = [MemberChange.addLearner(greeting.server, address: greeting.address)]
        // A new server at the address of another one has taken its place.
        let replaced = raft.configuration.members.first {
            $0.address == greeting.address && $0.id != greeting.server
        }
        if let replaced { changes.insert(.remove(replaced.id), at: 0) }
        change(changes) { [self] refusal in
            if refusal == nil {
                logger.info("added server: \(greeting.nodeName) \(greeting.address)")
            } else if raft.isLeader {
                // The server asks again by itself.
                logger.debug(
                    "cannot add server \(greeting.nodeName): \(String(describing: refusal))"
                )
            }
        }
    }

    private func followOwnAddress() {
        let own = raft.configuration.member(settings.id)
        guard let own, own.address != settings.advertisedAddress else { return }
        change([.addLearner(settings.id, address: settings.advertisedAddress)]) { _ in }
    }

    /// Has the core change the configuration; nil when it is done.
    func change(_ changes: [MemberChange], completion: @escaping (RaftRefusal?) -> Void) {
        leadership.isChanging = true
        let token = makeToken(
            .operation { [self] refusal in
                leadership.isChanging = false
                completion(refusal)
                changeMembersWhenDue()
            }
        )
        input(.changeMembers(token, changes))
    }

    // MARK: Operators

    /// Does what an operator asks of the leader.
    func perform(_ request: LeaderRequest, completion: @escaping (LeaderReply) -> Void) {
        guard raft.isLeader else { return completion(.noLeader) }
        switch request {
        case .renewSession: completion(.notFound)
        case .removeServer(let selector): remove(selector, completion)
        case .transferLeadership(let selector): transfer(to: selector, completion)
        case .serverHealth: completion(.health(health))
        }
    }

    private func member(_ selector: ServerSelector) -> ClusterMember? {
        raft.configuration.members.first { member in
            switch selector {
            case .id(let id): ServerID.text(member.id) == id.lowercased()
            case .address(let address):
                member.address == address || self.address(of: member) == address
            }
        }
    }

    private func remove(
        _ selector: ServerSelector,
        _ completion: @escaping (LeaderReply) -> Void
    ) {
        guard let member = member(selector) else { return completion(.notFound) }
        change([.remove(member.id)]) { refusal in
            completion(refusal.map { .failed($0.text) } ?? .done)
        }
    }

    private func transfer(
        to selector: ServerSelector?,
        _ completion: @escaping (LeaderReply) -> Void
    ) {
        var target: NodeID?
        if let selector {
            guard let member = member(selector) else { return completion(.notFound) }
            target = member.id
        }
        let token = makeToken(
            .operation { completion($0.map { .failed($0.text) } ?? .done) }
        )
        input(.transferLeadership(token, to: target))
    }
}

extension RaftRefusal {
    /// In words for a person.
    var text: String {
        switch self {
        case .notLeader: "node is not the leader"
        case .transferring: "leadership transfer in progress"
        case .overloaded: "too many requests"
        case .tooLarge(let limit): "larger than \(limit) bytes"
        case .overwritten, .outcomeUnknown: "leadership lost while committing log"
        case .unconfirmed: "a majority of the servers does not answer"
        case .members(let refusal): refusal.text
        case .transferFailed: "leadership transfer failed"
        }
    }
}

extension MemberRefusal {
    /// In words for a person.
    var text: String {
        switch self {
        case .busy: "another change of the servers is under way; try again"
        case .unknownMember(let id): "no server has the id \(ServerID.text(id))"
        case .tooManyMembers: "the limit of servers is reached"
        case .noVoters: "need at least one voter in configuration"
        case .behind(let id): "server \(ServerID.text(id)) lacks too much of the log to vote yet"
        case .quorumUnreachable:
            "too few of the servers that would remain answer: the cluster would lose its quorum"
        }
    }
}
