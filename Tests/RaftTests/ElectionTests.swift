import Model
import Raft
import Simulation
import Testing

/// Elections, step by step; the stories of etcd's `campaign`, `prevote`, `checkquorum`,
/// `prevote_checkquorum`, `single_node` and `campaign_learner_must_vote`.
struct ElectionTests {
    @Test func aCampaignAsksFirstThenRaisesTheTermAndCommitsAnEmptyEntry() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.campaign(1)
        #expect(cluster.raft(1).role == .preCandidate)
        #expect(cluster.raft(1).term == .zero)
        cluster.deliver()
        cluster.deliver()
        #expect(cluster.raft(1).role == .candidate)
        #expect(cluster.raft(1).term == Term(rawValue: 1))
        cluster.settle()
        #expect(cluster.raft(1).isLeader)
        for number in 1...3 {
            #expect(cluster.raft(number).log.commit == LogIndex(rawValue: 1))
            #expect(cluster.raft(number).leader == .number(1))
        }
    }

    @Test func aClusterOfOneElectsItselfAtOnceButOnlyWithItsVoteOnDisk() {
        var cluster = ScriptedCluster(voters: 1...1)
        cluster.slowDisks = [.number(1)]
        cluster.input(1, .timer)
        #expect(cluster.raft(1).role == .candidate)
        cluster.sync(1)
        #expect(cluster.raft(1).isLeader)
        #expect(cluster.raft(1).log.commit == LogIndex(rawValue: 1))
        #expect(cluster.now == Instant(nanoseconds: 1_000_000_000_000))
    }

    @Test func aVoterThatHearsALeaderGrantsNoPreVoteAndKeepsItsTerm() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.input(1, .timer)
        cluster.settle()
        let last = cluster.raft(3).log.lastPosition
        let ask = RaftMessage(
            from: .number(3),
            to: .number(2),
            term: Term(rawValue: 9),
            body: .preVoteRequest(last: last)
        )
        cluster.input(2, .message(ask))
        #expect(cluster.network.map(\.body) == [.preVoteResponse(granted: false)])
        #expect(cluster.raft(2).term == Term(rawValue: 1))
    }

    @Test func aVoteRequestUnderALeaderIsIgnoredTermAndAll() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.input(1, .timer)
        cluster.settle()
        for number in 1...2 {
            let ask = RaftMessage(
                from: .number(3),
                to: .number(number),
                term: Term(rawValue: 9),
                body: .voteRequest(last: cluster.raft(3).log.lastPosition, isTransfer: false)
            )
            cluster.input(number, .message(ask))
        }
        #expect(cluster.network.isEmpty)
        #expect(cluster.raft(1).isLeader)
        #expect(cluster.raft(2).term == Term(rawValue: 1))
    }

    @Test func aLeaderWithoutAMajorityStepsDownAfterAnElectionTimeout() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        for _ in 0..<9 {
            cluster.fireTimer(1)
            cluster.network = []
        }
        #expect(cluster.raft(1).isLeader)
        cluster.fireTimer(1)
        #expect(cluster.raft(1).role == .follower)
        #expect(cluster.raft(1).leader == nil)
        #expect(cluster.raft(1).nextDeadline != nil)
    }

    @Test func aServerThatIsAheadInTermsBringsTheLeaderToItsTermOnce() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        // Server 3 campaigned in vain while it was cut off.
        let push = RaftMessage(
            from: .number(2),
            to: .number(3),
            term: Term(rawValue: 5),
            body: .termNotice
        )
        cluster.input(3, .message(push))
        #expect(cluster.raft(3).term == Term(rawValue: 5))
        cluster.fireTimer(1)
        cluster.settle()
        #expect(cluster.leaders.isEmpty)
        #expect(cluster.raft(1).term == Term(rawValue: 5))
        cluster.elect(2)
        #expect(cluster.raft(3).leader == .number(2))
    }

    @Test func aPreCandidateBehindInTermsLearnsTheTermFromTheRefusal() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.settle()
        cluster.restart(3)
        let push = RaftMessage(
            from: .number(1),
            to: .number(2),
            term: Term(rawValue: 7),
            body: .termNotice
        )
        cluster.input(2, .message(push))
        cluster.campaign(3)
        cluster.deliver { $0.to == .number(1) }
        cluster.deliver()
        #expect(cluster.raft(3).term == Term(rawValue: 7))
        #expect(cluster.raft(3).role == .follower)
    }

    @Test func aLearnerVotesWhenAskedButNeverCampaigns() {
        var cluster = ScriptedCluster(voters: 1...2, learners: [3])
        #expect(cluster.raft(3).nextDeadline == nil)
        cluster.advance(.seconds(9))
        cluster.input(3, .timer)
        #expect(cluster.network.isEmpty)
        // It may have been promoted without having heard of it yet.
        let ask = RaftMessage(
            from: .number(1),
            to: .number(3),
            term: Term(rawValue: 1),
            body: .voteRequest(last: .zero, isTransfer: false)
        )
        cluster.input(3, .message(ask))
        #expect(cluster.network.map(\.body) == [.voteResponse(granted: true)])
    }

    @Test func learnersDoNotHelpToWinAnElection() {
        var cluster = ScriptedCluster(voters: 1...2, learners: [3, 4, 5])
        cluster.campaign(1)
        cluster.settle { $0.to == .number(2) }
        #expect(cluster.leaders.isEmpty)
    }

    @Test func aVoteSurvivesARestart() {
        var cluster = ScriptedCluster(voters: 1...3)
        let ask = RaftMessage(
            from: .number(2),
            to: .number(1),
            term: Term(rawValue: 4),
            body: .voteRequest(last: .zero, isTransfer: false)
        )
        cluster.input(1, .message(ask))
        cluster.restart(1)
        cluster.network = []
        cluster.advance(.seconds(2))
        var other = ask
        other.from = .number(3)
        cluster.input(1, .message(other))
        #expect(cluster.network.map(\.body) == [.voteResponse(granted: false)])
        #expect(cluster.raft(1).hardState.votedFor == .number(2))
    }

    @Test func aVoteLeavesOnlyWhenItIsOnDisk() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.slowDisks = [.number(1)]
        let ask = RaftMessage(
            from: .number(2),
            to: .number(1),
            term: Term(rawValue: 4),
            body: .voteRequest(last: .zero, isTransfer: false)
        )
        cluster.input(1, .message(ask))
        #expect(cluster.network.isEmpty)
        cluster.sync(1)
        #expect(cluster.network.map(\.body) == [.voteResponse(granted: true)])
    }

    @Test func aRestartedServerIsLoyalForAnElectionTimeout() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.restart(2)
        let ask = RaftMessage(
            from: .number(3),
            to: .number(2),
            term: Term(rawValue: 2),
            body: .voteRequest(last: cluster.raft(3).log.lastPosition, isTransfer: false)
        )
        cluster.input(2, .message(ask))
        #expect(cluster.network.isEmpty)
        cluster.advance(.milliseconds(500))
        cluster.input(2, .message(ask))
        #expect(cluster.network.map(\.body) == [.voteResponse(granted: true)])
    }

    @Test func aRefusedVoteDoesNotPutOffTheOwnCampaign() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.propose(1, 7)
        cluster.settle()
        cluster.advance(.milliseconds(500))
        let before = cluster.raft(2).nextDeadline
        let ask = RaftMessage(
            from: .number(3),
            to: .number(2),
            term: Term(rawValue: 2),
            body: .voteRequest(last: .zero, isTransfer: false)
        )
        cluster.input(2, .message(ask))
        #expect(cluster.network.map(\.body) == [.voteResponse(granted: false)])
        #expect(cluster.raft(2).nextDeadline == before)
    }
}
