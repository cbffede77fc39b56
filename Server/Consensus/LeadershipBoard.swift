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
    var leadership: Leadership {
        let (leadership, heard) = posted.withLock { ($0.leadership, $0.heardLeaderAt) }
        var now = leadership
        now.lastContact =
            leadership.isLeader ? .zero : heard.map { ReadGate.now.since($0) } ?? .zero
        return now
    }
}
