import Model
import RPC
import Raft
import Replica
import Synchronization

/// What any thread may know of the cluster: posted after each turn, read at any time.
final class LeadershipBoard: Sendable {
    private struct Posted {
        var leadership: Leadership
        var heardLeaderAt: Instant?
        /// When this server last was the leader that it would have heard.
        var ledAt: Instant?
        var configuration: PlacedConfiguration?
        var leader: NodeID?
        var names: [NodeID: String] = [:]
    }

    private let own: NodeID
    private let ownName: String
    private let posted: Mutex<Posted>

    init(settings: ConsensusSettings) {
        own = settings.id
        ownName = settings.nodeName
        posted = Mutex(
            Posted(
                leadership: Leadership(
                    leader: nil,
                    isLeader: false,
                    lastContact: .zero,
                    servers: [],
                    configurationIndex: .zero,
                    term: 0,
                    lastLogIndex: .zero,
                    commitIndex: .zero
                )
            )
        )
    }

    /// Posts what has changed; cheap when that is only the indexes.
    func post(_ raft: Raft, names: [NodeID: ServerGreeting]) {
        posted.withLock { posted in
            posted.leadership.term = raft.term.rawValue
            posted.leadership.lastLogIndex = raft.log.lastIndex
            posted.leadership.commitIndex = raft.log.commit
            if raft.isLeader || posted.leadership.isLeader { posted.ledAt = ReadGate.now }
            posted.leadership.isLeader = raft.isLeader
            posted.heardLeaderAt = raft.heardLeaderAt
            let isSame =
                posted.leader == raft.leader && posted.configuration == raft.log.configuration
                && posted.names.count == names.count
            guard !isSame else { return }
            posted.leader = raft.leader
            posted.configuration = raft.log.configuration
            posted.names = names.mapValues(\.nodeName)
            posted.leadership.configurationIndex = raft.log.configuration.index
            posted.leadership.servers = raft.configuration.members.map { member in
                server(member, posted.names)
            }
            posted.leadership.leader = raft.leader.flatMap { leader in
                raft.configuration.member(leader).map { server($0, posted.names) }
            }
        }
    }

    private func server(_ member: ClusterMember, _ names: [NodeID: String]) -> LogServer {
        LogServer(
            id: ServerID.text(member.id),
            nodeName: member.id == own ? ownName : names[member.id] ?? "",
            address: member.address,
            isVoter: member.role == .voter
        )
    }

    /// What was posted last, with the time since the leader was heard.
    ///
    /// Who led until now counts from then; who never heard of a leader has waited for ever.
    ///
    /// - Source: Consul: `raft.LastContact`, from the year 1 on.
    var leadership: Leadership {
        let (leadership, heard) = posted.withLock { posted in
            (posted.leadership, [posted.heardLeaderAt, posted.ledAt].compactMap { $0 }.max())
        }
        var now = leadership
        if leadership.isLeader {
            now.lastContact = .zero
        } else if let heard {
            now.lastContact = ReadGate.now.since(heard)
        } else {
            now.lastContact = Nanoseconds(rawValue: .max)
        }
        return now
    }
}
