import Raft
import Testing

/// Quorums against a second implementation that tries every subset.
struct QuorumTests {
    /// The greatest value such that a majority has at least that, by trying all values.
    private func naive(_ voters: [NodeID], _ values: [NodeID: UInt64]) -> UInt64? {
        voters.compactMap { values[$0] }
            .filter { candidate in
                voters.filter { (values[$0] ?? 0) >= candidate }.count * 2 > voters.count
            }
            .max()
    }

    private func pick(_ random: inout RandomSource) -> [NodeID] {
        (1...7).map { NodeID(rawValue: $0) }.filter { _ in Bool.random(using: &random) }
    }

    @Test func theReachedIndexIsWhatAMajorityHas() {
        var random = RandomSource(seed: 1)
        for _ in 0..<2000 {
            let voters = pick(&random)
            var values: [NodeID: UInt64] = [:]
            for voter in voters { values[voter] = UInt64.random(in: 0...5, using: &random) }
            let reached = Quorum.reached(voters) { values[$0] ?? 0 }
            #expect(reached == naive(voters, values))
        }
    }

    @Test func aJointConfigurationReachesWhatBothHalvesReach() {
        var random = RandomSource(seed: 2)
        for _ in 0..<2000 {
            let (new, old) = (pick(&random), pick(&random))
            guard !new.isEmpty, !old.isEmpty else { continue }
            let configuration = ClusterConfiguration(
                members: new.map { ClusterMember(id: $0, role: .voter) },
                outgoing: old.map { ClusterMember(id: $0, role: .voter) }
            )
            var values: [NodeID: UInt64] = [:]
            for id in configuration.everyone {
                values[id] = UInt64.random(in: 0...5, using: &random)
            }
            let expected = min(naive(new, values) ?? 0, naive(old, values) ?? 0)
            #expect(configuration.reached { values[$0] ?? 0 } == expected)
        }
    }

    @Test func anElectionIsDecidedAsSoonAsNoMissingVoteCanChangeIt() {
        var random = RandomSource(seed: 3)
        for _ in 0..<2000 {
            let voters = pick(&random)
            guard !voters.isEmpty else { continue }
            var votes: [NodeID: Bool] = [:]
            for voter in voters where Bool.random(using: &random) {
                votes[voter] = Bool.random(using: &random)
            }
            let best = voters.filter { votes[$0] != false }.count * 2 > voters.count
            let worst = voters.filter { votes[$0] == true }.count * 2 > voters.count
            let expected: Quorum.Outcome = worst ? .won : best ? .pending : .lost
            #expect(Quorum.outcome(voters) { votes[$0] } == expected)
        }
    }

    @Test func learnersAreInNoQuorum() {
        let configuration = ClusterConfiguration(members: [
            ClusterMember(id: NodeID(rawValue: 1), role: .voter),
            ClusterMember(id: NodeID(rawValue: 2), role: .learner),
            ClusterMember(id: NodeID(rawValue: 3), role: .learner),
        ])
        #expect(configuration.voters == [NodeID(rawValue: 1)])
        #expect(configuration.reached { $0.rawValue } == 1)
        #expect(configuration.everyone.count == 3)
    }

    @Test func withoutVotersNothingIsReachedAndNoElectionIsWon() {
        let empty = ClusterConfiguration(members: [])
        #expect(empty.reached { $0.rawValue } == nil)
        #expect(empty.outcome { _ in true } != .won)
    }
}
