import Logging
import Model
import NIOCore
import RPC
import Raft
import Replica

/// Becoming part of a cluster: found one with others that are new too, or ask one to be let in.
extension Consensus {
    /// Asks every joining address for a greeting, again and again; without addresses once in a
    /// while for nothing.
    func scheduleJoining(after delay: TimeAmount) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: delay) {
            guard !bound.value.isStopped else { return }
            bound.value.joinRound()
        }
    }

    private func joinRound() {
        let limits = settings.limits
        for address in joinTargets {
            let greeted = transport.hello(address: address, timeout: limits.helloTimeout)
            let bound = NIOLoopBound(self, eventLoop: eventLoop)
            greeted.whenComplete { result in
                switch result {
                case .success(let greeting): bound.value.met(greeting)
                case .failure(let error): bound.value.missed(address, error)
                }
            }
        }
        let isSettled = raft.leader != nil && !wantsToJoin
        scheduleJoining(after: isSettled ? limits.joinedInterval : limits.joinInterval)
    }

    private var joinTargets: [String] {
        settings.joinAddresses.filter { $0 != settings.advertisedAddress }
    }

    private func met(_ greeting: ServerGreeting) {
        joining.complaints = [:]
        learn(greeting)
        // Members may have moved: those who know say where to.
        if greeting.cluster == cluster, cluster != 0 {
            follow(greeting.known)
            // Taken out while it was down: its own log is the last to know.
            joining.isMissing =
                raft.leader == nil && !greeting.known.isEmpty
                && !greeting.known.contains { $0.id == settings.id }
        }
        foundClusterWhenDue()
    }

    private func missed(_ address: String, _ error: any Error) {
        let text = "\(error)"
        guard joining.complaints[address] != text else { return }
        joining.complaints[address] = text
        logger.info("no answer from \(address): \(text)")
    }

    /// Takes over addresses of members that this server has not heard from itself.
    private func follow(_ known: [KnownServer]) {
        for server in known where server.id != settings.id && greetings[server.id] == nil {
            guard raft.configuration.member(server.id) != nil, !server.address.isEmpty else {
                continue
            }
            learn(
                ServerGreeting(
                    cluster: cluster,
                    server: server.id,
                    start: ServerStart(openings: Openings(), term: .zero, last: .zero),
                    address: server.address,
                    nodeName: server.nodeName,
                    datacenter: settings.datacenter
                )
            )
        }
    }

    /// Whether this server is to become a member, or a member under another address.
    var wantsToJoin: Bool {
        if cluster == 0 { return !settings.joinAddresses.isEmpty }
        guard let member = raft.configuration.member(settings.id), !joining.isMissing else {
            return !settings.joinAddresses.isEmpty
        }
        return member.address != settings.advertisedAddress
    }

    /// Belongs to a cluster from now on; for good.
    func adopt(_ cluster: UInt128) {
        precondition(self.cluster == 0 && cluster != 0, "a server changes its cluster")
        self.cluster = cluster
        logger.info("joining cluster \(ServerID.text(NodeID(rawValue: cluster)))")
        disk.enqueue(.adopt(cluster: cluster, done: {}))
        transport.identityChanged()
    }

    // MARK: Founding

    /// Founds a cluster when this server is told to, or when it is the one on which all agree.
    func foundClusterWhenDue() {
        guard cluster == 0, raft.log.lastIndex == .zero, raft.term == .zero else { return }
        if settings.bootstraps { return found([]) }
        guard settings.bootstrapExpect > 0 else { return }
        if settings.bootstrapExpect == 1 { return found([]) }
        let others = joining.agreed(by: settings.id, expect: settings.bootstrapExpect)
        if let others { found(others) }
    }

    /// Writes the first entry of a new cluster, with these servers and this one as voters.
    private func found(_ others: [ServerGreeting]) {
        var members = others.map {
            ClusterMember(id: $0.server, role: .voter, address: $0.address)
        }
        let own = ClusterMember(
            id: settings.id,
            role: .voter,
            address: settings.advertisedAddress
        )
        members.append(own)
        cluster = UInt128.random(in: 1...UInt128.max)
        let configuration = ClusterConfiguration(members: members)
        disk.enqueue(.bootstrap(cluster: cluster, configuration))
        transport.identityChanged()
        // The core starts anew as if it had found on disk what is on its way there; the disk does
        // everything in order, so nothing it promises later comes before.
        let term = Term(rawValue: 1)
        var log = RaftLog(snapshot: raft.log.snapshot, limits: raft.settings.limits)
        let isNext = log.recover(
            Entry(index: LogIndex(rawValue: 1), term: term, body: .configuration(configuration))
        )
        precondition(isNext, "a first entry that is not the first")
        logger.info("founding a cluster of \(members.count) servers")
        inbox = []
        raft = Raft(
            settings: raft.settings,
            hardState: HardState(term: term),
            log: log,
            seed: UInt64.random(in: 0 ... .max),
            now: ReadGate.now
        )
        input(.timer)
    }
}

/// What a server without a cluster knows of others like it.
struct JoinState {
    /// The servers without a cluster that were met, each as it was last.
    private var met: [NodeID: ServerGreeting] = [:]
    /// What was last said of each joining address, to say it once.
    var complaints: [String: String] = [:]
    /// Whether others of the cluster do not count this server as a member any more.
    var isMissing = false

    /// Met servers that are remembered; further ones are not.
    static let limit = 64

    mutating func met(_ greeting: ServerGreeting) {
        guard met[greeting.server] != nil || met.count < JoinState.limit else { return }
        met[greeting.server] = greeting
    }

    /// Those met, for others to see.
    var newcomers: [KnownServer] {
        met.values.sorted { $0.server < $1.server }.map {
            KnownServer(id: $0.server, address: $0.address, nodeName: $0.nodeName)
        }
    }

    /// The one that is to found the cluster: the lowest id of all.
    func founder(of own: NodeID) -> NodeID {
        min(own, met.keys.min() ?? own)
    }

    /// The others with whom `own` founds a cluster, when all of them agree on it: the same number
    /// expected, the same servers known, and `own` the founder of each.
    ///
    /// A server never forgets one that it has met, and one that was founded with says so: so two
    /// founders cannot both find agreement unless a server restarts in between.
    func agreed(by own: NodeID, expect: Int) -> [ServerGreeting]? {
        let others = met.values.sorted { $0.server < $1.server }
        guard others.count + 1 >= expect, founder(of: own) == own else { return nil }
        let everyone = Set(others.map(\.server) + [own])
        let founder = ServerID.text(own)
        let allAgree = others.allSatisfy { other in
            other.bootstrapExpect == expect && other.cluster == 0
                && other.attributes[GreetingAttribute.founder] == founder
                && Set(other.known.map(\.id) + [other.server]) == everyone
        }
        return allAgree ? others : nil
    }
}
