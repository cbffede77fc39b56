import Model
import Raft
import Simulation
import Testing

/// Changes of members and transfers; the stories of etcd's `confchange_v1_add_single`,
/// `confchange_v1_remove_leader` (and `_stepdown`), `confchange_v2_*`, `joint_*` and `simple_*`.
struct MembershipTests {
    private let token = RequestToken(rawValue: 77)

    private func voters(_ cluster: ScriptedCluster, _ number: Int) -> [Int] {
        cluster.raft(number).configuration.voters.map { Int($0.rawValue) }
    }

    /// A cluster of `1...count` led by 1, with further servers that wait to join.
    private func cluster(_ count: Int, joiners: [Int] = []) -> ScriptedCluster {
        var cluster = ScriptedCluster(voters: 1...count, joiners: joiners)
        cluster.elect(1)
        cluster.fireTimer(1)
        cluster.settle()
        return cluster
    }

    private func change(_ cluster: inout ScriptedCluster, _ changes: MemberChange...) {
        cluster.input(1, .changeMembers(token, changes))
        cluster.settle()
        cluster.fireTimer(1)
        cluster.settle()
    }

    @Test func aLearnerCatchesUpAndIsPromoted() {
        var cluster = cluster(1, joiners: [2])
        cluster.propose(1, 5, 6, 7)
        change(&cluster, .addLearner(.number(2), address: "two:8300"))
        #expect(cluster.takeAnswers(1).last == .done(token))
        #expect(cluster[2].machine.value(1) == 7)
        #expect(voters(cluster, 2) == [1])
        change(&cluster, .promote(.number(2)))
        #expect(voters(cluster, 1) == [1, 2])
        #expect(voters(cluster, 2) == [1, 2])
        #expect(!cluster.raft(1).configuration.isJoint)
        #expect(cluster.raft(2).configuration.member(.number(2))?.address == "two:8300")
    }

    @Test func aChangeOfVotersPassesThroughAJointConfigurationAndLeavesItByItself() {
        var cluster = cluster(3, joiners: [4])
        change(&cluster, .addLearner(.number(4), address: ""))
        cluster.input(1, .changeMembers(token, [.promote(.number(4)), .remove(.number(2))]))
        #expect(cluster.raft(1).configuration.isJoint, "it counts from when it is in the log")
        #expect(voters(cluster, 1) == [1, 3, 4])
        cluster.settle()
        for number in [1, 3, 4] {
            #expect(!cluster.raft(number).configuration.isJoint)
            #expect(voters(cluster, number) == [1, 3, 4])
        }
    }

    @Test func aJointConfigurationNeedsBothMajorities() {
        var cluster = cluster(3, joiners: [4, 5])
        change(&cluster, .addLearner(.number(4), address: ""))
        change(&cluster, .addLearner(.number(5), address: ""))
        let commit = cluster.raft(1).log.commit
        let removals: [MemberChange] = [.remove(.number(2)), .remove(.number(3))]
        let changes: [MemberChange] = [.promote(.number(4)), .promote(.number(5))] + removals
        cluster.input(1, .changeMembers(token, changes))
        // All of the new voters, and no other of the old ones.
        cluster.settle { $0.to == .number(2) || $0.to == .number(3) }
        #expect(cluster.raft(1).log.commit == commit)
        cluster.fireTimer(1)
        cluster.settle { $0.to == .number(2) }
        #expect(voters(cluster, 1) == [1, 4, 5])
        #expect(!cluster.raft(1).configuration.isJoint)
    }

    @Test func anElectionInAJointConfigurationNeedsBothMajorities() {
        var cluster = cluster(3, joiners: [4, 5])
        change(&cluster, .addLearner(.number(4), address: ""))
        change(&cluster, .addLearner(.number(5), address: ""))
        let removals: [MemberChange] = [.remove(.number(2)), .remove(.number(3))]
        let changes: [MemberChange] = [.promote(.number(4)), .promote(.number(5))] + removals
        cluster.input(1, .changeMembers(token, changes))
        cluster.deliver()
        cluster.network = []
        // Server 4 has the joint configuration; the old majority is out of reach.
        cluster.campaign(4)
        cluster.settle { [.number(2), .number(3)].contains($0.to) }
        #expect(!cluster.raft(4).isLeader)
        cluster.elect(4)
        #expect(!cluster.raft(4).configuration.isJoint, "the new leader leaves it")
        #expect(voters(cluster, 4) == [1, 4, 5])
    }

    @Test func aRemovedLeaderStepsDownInFavourOfASuccessor() {
        var cluster = cluster(3)
        cluster.input(1, .changeMembers(token, [.remove(.number(1))]))
        #expect(cluster.raft(1).isLeader, "it leads until the change is committed")
        cluster.settle()
        #expect(!cluster.raft(1).isLeader)
        #expect(cluster.leaders.count == 1)
        #expect(cluster.leaders.first != 1)
        #expect(cluster.raft(1).nextDeadline == nil, "it never campaigns again")
        #expect(cluster.takeAnswers(1).contains(.done(token)))
    }

    @Test func aServerThatIsLeavingStillLeadsTheChangeThatRemovesIt() {
        // Found by the simulation: 1 and 2 are replaced by 3; the last step reaches only 2, whose
        // log is then the only one that can win.
        var cluster = cluster(2, joiners: [3])
        change(&cluster, .addLearner(.number(3), address: ""))
        let changes: [MemberChange] = [
            .promote(.number(3)), .remove(.number(1)), .remove(.number(2)),
        ]
        cluster.input(1, .changeMembers(token, changes))
        cluster.settle { message in
            guard case .append(let append) = message.body else { return false }
            return append.entries.contains { entry in
                guard case .configuration(let next) = entry.body else { return false }
                return !next.isJoint
            }
        }
        #expect(cluster.raft(1).configuration.voters == [.number(3)])
        #expect(cluster.raft(3).configuration.isJoint)
        cluster.advance(.seconds(2))
        cluster.input(1, .timer)
        #expect(!cluster.raft(1).isLeader)
        for _ in 0..<3 where cluster.leaders != [3] || cluster.raft(3).configuration.isJoint {
            cluster.campaign(1)
            cluster.settle()
        }
        #expect(cluster.leaders == [3])
        #expect(!cluster.raft(3).configuration.isJoint)
    }

    @Test func aDemotedVoterStillCountsInTheOldHalf() {
        var cluster = cluster(3)
        cluster.input(1, .changeMembers(token, [.demote(.number(3))]))
        #expect(cluster.raft(1).configuration.isVoter(.number(3)))
        cluster.settle()
        #expect(!cluster.raft(1).configuration.isVoter(.number(3)))
        #expect(cluster.raft(1).configuration.member(.number(3))?.role == .learner)
        cluster.propose(1, 5)
        cluster.settle()
        #expect(cluster[3].machine.value(1) == 5)
    }

    @Test func onlyOneChangeAtATime() {
        var cluster = cluster(3)
        cluster.input(1, .changeMembers(token, [.demote(.number(3))]))
        cluster.input(1, .changeMembers(token, [.demote(.number(2))]))
        #expect(cluster.takeAnswers(1).last == .refused(token, .members(.busy)))
    }

    @Test func noChangeBeforeTheLeaderHasCommittedInItsTerm() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.campaign(1)
        cluster.settle { message in
            if case .append = message.body { return true }
            return false
        }
        #expect(cluster.raft(1).isLeader)
        cluster.input(1, .changeMembers(token, [.demote(.number(3))]))
        #expect(cluster.takeAnswers(1) == [.refused(token, .members(.busy))])
    }

    @Test func aChangeThatCouldNotGoOnAfterwardsIsRefused() {
        var cluster = cluster(3)
        // Server 2 is silent; without server 3 nothing could be committed.
        for _ in 0..<11 {
            cluster.fireTimer(1)
            cluster.settle { $0.to == .number(2) }
        }
        cluster.input(1, .changeMembers(token, [.remove(.number(3))]))
        let refusal = RaftRefusal.members(.quorumUnreachable)
        #expect(cluster.takeAnswers(1).last == .refused(token, refusal))
        cluster.input(1, .changeMembers(token, [.remove(.number(2))]))
        cluster.settle { $0.to == .number(2) }
        #expect(voters(cluster, 1) == [1, 3])
    }

    @Test func aLearnerThatLagsIsNotPromoted() {
        var cluster = ScriptedCluster(voters: 1...1, learners: [2]) { id in
            var settings = RaftSettings(id: id)
            settings.limits.promotionLag = 2
            return settings
        }
        cluster.input(1, .timer)
        for value in 10...14 { cluster.propose(1, UInt64(value)) }
        cluster.network = []
        cluster.input(1, .changeMembers(token, [.promote(.number(2))]))
        let refusal = RaftRefusal.members(.behind(.number(2)))
        #expect(cluster.takeAnswers(1).last == .refused(token, refusal))
    }

    @Test(arguments: [
        (MemberChange.promote(.number(9)), MemberRefusal.unknownMember(.number(9))),
        (.remove(.number(9)), .unknownMember(.number(9))),
    ])
    func unknownMembersAreRefused(change: MemberChange, refusal: MemberRefusal) {
        var cluster = cluster(3)
        cluster.input(1, .changeMembers(token, [change]))
        #expect(cluster.takeAnswers(1).last == .refused(token, .members(refusal)))
    }

    @Test func aChangeThatChangesNothingIsDoneAtOnce() {
        var cluster = cluster(3)
        let last = cluster.raft(1).log.lastIndex
        let same: [MemberChange] = [.promote(.number(2)), .addLearner(.number(3), address: "")]
        cluster.input(1, .changeMembers(token, same))
        #expect(cluster.takeAnswers(1) == [.done(token)])
        #expect(cluster.raft(1).log.lastIndex == last)
        #expect(cluster.raft(1).configuration.voters.count == 3)
    }

    @Test func aNewAddressIsNoNewMember() {
        var cluster = cluster(3)
        change(&cluster, .addLearner(.number(2), address: "10.0.0.2:8300"))
        let member = cluster.raft(3).configuration.member(.number(2))
        #expect(member == ClusterMember(id: .number(2), role: .voter, address: "10.0.0.2:8300"))
    }

    @Test func theLastVoterStays() {
        var cluster = cluster(1)
        cluster.input(1, .changeMembers(token, [.remove(.number(1))]))
        #expect(cluster.takeAnswers(1).last == .refused(token, .members(.noVoters)))
    }

    @Test func aConfigurationThatIsTruncatedIsForgotten() {
        var cluster = cluster(3)
        cluster.input(1, .changeMembers(token, [.remove(.number(3))]))
        cluster.network = []
        #expect(voters(cluster, 1) == [1, 2])
        cluster.elect(2)
        #expect(voters(cluster, 1) == [1, 2, 3])
        #expect(!cluster.raft(1).configuration.isJoint)
    }

    @Test func aConfigurationSurvivesRestartsAndSnapshots() {
        var cluster = cluster(3)
        change(&cluster, .demote(.number(3)))
        cluster.takeSnapshot(1)
        #expect(cluster.raft(1).log.snapshot.configuration.configuration.voters.count == 2)
        cluster.restart(1)
        #expect(voters(cluster, 1) == [1, 2])
        cluster.restart(2)
        #expect(voters(cluster, 2) == [1, 2])
    }

    // MARK: Transfer

    @Test func aTransferMakesTheTargetLeaderAtOnce() {
        var cluster = cluster(3)
        cluster.input(1, .transferLeadership(token, to: .number(3)))
        cluster.settle()
        #expect(cluster.leaders == [3])
        #expect(cluster.takeAnswers(1).contains(.done(token)))
    }

    @Test func aTransferWaitsForTheTargetToCatchUpAndBlocksProposals() {
        var cluster = cluster(3)
        cluster.propose(1, 5)
        cluster.settle { $0.to == .number(3) }
        cluster.input(1, .transferLeadership(token, to: .number(3)))
        cluster.propose(1, 6)
        #expect(
            cluster.takeAnswers(1).last == .refused(RequestToken(rawValue: 6), .transferring)
        )
        cluster.fireTimer(1)
        cluster.settle()
        #expect(cluster.leaders == [3])
        #expect(cluster[3].machine.value(1) == 5)
    }

    @Test func withoutATargetTheBestVoterIsChosen() {
        var cluster = cluster(3)
        cluster.propose(1, 5)
        cluster.settle { $0.to == .number(2) }
        cluster.input(1, .transferLeadership(token, to: nil))
        cluster.settle()
        #expect(cluster.leaders == [3])
    }

    @Test func aTransferThatTakesTooLongIsGivenUp() {
        var cluster = cluster(3)
        cluster.propose(1, 5)
        cluster.settle { $0.to == .number(3) }
        cluster.input(1, .transferLeadership(token, to: .number(3)))
        for _ in 0..<12 {
            cluster.fireTimer(1)
            cluster.settle { $0.to == .number(3) }
        }
        #expect(cluster.takeAnswers(1).contains(.refused(token, .transferFailed)))
        cluster.propose(1, 6)
        cluster.settle { $0.to == .number(3) }
        #expect(cluster.raft(1).log.commit == .at(3))
    }

    @Test(arguments: [1, 4, 9])
    func onlyAnotherVoterCanBeTheTarget(target: Int) {
        var cluster = ScriptedCluster(voters: 1...3, learners: [4])
        cluster.elect(1)
        cluster.input(1, .transferLeadership(token, to: .number(target)))
        #expect(cluster.takeAnswers(1).last == .refused(token, .transferFailed))
    }

    @Test func theTargetsLaterCampaignsAreOrdinaryOnes() {
        var cluster = cluster(3)
        cluster.input(1, .transferLeadership(token, to: .number(3)))
        cluster.settle { message in
            if case .voteRequest = message.body { return true }
            return false
        }
        #expect(cluster.raft(3).role == .candidate)
        cluster.fireTimer(3)
        #expect(cluster.raft(3).role == .preCandidate)
    }
}
