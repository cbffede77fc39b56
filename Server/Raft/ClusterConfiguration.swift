package import Model

/// What a member takes part in.
package enum MemberRole: Hashable, Sendable {
    /// Votes, campaigns and counts for commitment.
    case voter
    /// Receives the log only; `Raft.promote` conditions make it a voter.
    ///
    /// - Source: Raft dissertation §4.2.1.
    case learner
}

/// One server of the cluster.
package struct ClusterMember: Hashable, Sendable {
    package var id: NodeID
    package var role: MemberRole
    /// Where the shell reaches it; the core never reads it.
    package var address: String

    package init(id: NodeID, role: MemberRole, address: String = "") {
        self.id = id
        self.role = role
        self.address = address
    }
}

/// Who belongs to the cluster, and whose agreement decides.
///
/// While `outgoing` is not empty the configuration is *joint*: elections and commitment need a
/// majority of the incoming voters and another one of the outgoing voters.
/// - Source: Raft §6.
package struct ClusterConfiguration: Hashable, Sendable {
    /// Members of the incoming configuration, sorted by id, each id once.
    package let members: [ClusterMember]
    /// Voters of the configuration that is being left; empty when not joint; sorted.
    package let outgoing: [ClusterMember]
    /// Ids of the incoming voters, sorted.
    package let voters: [NodeID]

    /// Sorts the members; of several with one id the last counts.
    package init(members: [ClusterMember], outgoing: [ClusterMember] = []) {
        self.members = ClusterConfiguration.normalized(members)
        self.outgoing = ClusterConfiguration.normalized(outgoing)
        voters = self.members.filter { $0.role == .voter }.map(\.id)
    }

    package var isJoint: Bool { !outgoing.isEmpty }

    /// Every server that receives the log, sorted: members and outgoing voters.
    package var everyone: [NodeID] {
        guard isJoint else { return members.map(\.id) }
        return Set(members.map(\.id)).union(outgoing.map(\.id)).sorted()
    }

    package func member(_ id: NodeID) -> ClusterMember? {
        members.first { $0.id == id } ?? outgoing.first { $0.id == id }
    }

    /// Whether `id` votes, in either half.
    package func isVoter(_ id: NodeID) -> Bool {
        voters.contains(id) || outgoing.contains { $0.id == id }
    }

    /// The same members with the outgoing half gone.
    package var withoutOutgoing: ClusterConfiguration {
        ClusterConfiguration(members: members)
    }

    /// The greatest value that a majority of each half has reached; nil without voters.
    ///
    /// - Source: Raft §6: agreement requires separate majorities of both configurations.
    package func reached<Value: Comparable>(by value: (NodeID) -> Value) -> Value? {
        let incoming = Quorum.reached(voters, by: value)
        guard isJoint else { return incoming }
        guard let incoming, let old = Quorum.reached(outgoing.map(\.id), by: value) else {
            return nil
        }
        return min(incoming, old)
    }

    /// What the votes so far decide; both halves must agree to win, one refusal is enough to lose.
    package func outcome(of vote: (NodeID) -> Bool?) -> Quorum.Outcome {
        let incoming = Quorum.outcome(voters, of: vote)
        guard isJoint else { return incoming }
        switch (incoming, Quorum.outcome(outgoing.map(\.id), of: vote)) {
        case (.won, .won): return .won
        case (.lost, _), (_, .lost): return .lost
        default: return .pending
        }
    }

    private static func normalized(_ members: [ClusterMember]) -> [ClusterMember] {
        var byID: [NodeID: ClusterMember] = [:]
        for member in members { byID[member.id] = member }
        return byID.values.sorted { $0.id < $1.id }
    }
}

/// A configuration and the entry that set it; index 0 for the one a cluster starts with.
package struct PlacedConfiguration: Hashable, Sendable {
    package var index: LogIndex
    package var configuration: ClusterConfiguration

    package init(index: LogIndex, configuration: ClusterConfiguration) {
        self.index = index
        self.configuration = configuration
    }
}
