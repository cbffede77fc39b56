import Model
import Raft
import Simulation
import Testing

/// Linearizable reads by confirmed index and by lease, on leaders and followers.
struct ReadTests {
    private let token = RequestToken(rawValue: 99)

    private func reads(_ cluster: inout ScriptedCluster, _ number: Int) -> [RaftAnswer] {
        cluster.takeAnswers(number).filter { answer in
            switch answer {
            case .readable, .refused: true
            default: false
            }
        }
    }

    @Test func aConfirmedReadWaitsForARoundToTheMajority() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.input(1, .read(token, .confirmed))
        #expect(reads(&cluster, 1).isEmpty)
        cluster.settle { $0.to == .number(3) }
        #expect(reads(&cluster, 1) == [.readable(token, .at(1))])
    }

    @Test func withoutAMajorityAReadIsNeverConfirmed() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.input(1, .read(token, .confirmed))
        cluster.settle { $0.to != .number(1) }
        #expect(reads(&cluster, 1).isEmpty)
        while cluster.raft(1).isLeader {
            cluster.fireTimer(1)
            cluster.network = []
        }
        #expect(reads(&cluster, 1) == [.refused(token, .notLeader(leader: nil))])
    }

    @Test func readsThatArriveDuringARoundShareTheNextOne() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.network = []
        for number in 1...50 {
            cluster.input(1, .read(RequestToken(rawValue: UInt64(number)), .confirmed))
        }
        #expect(cluster.network.count == 2, "one round for the first, none yet for the others")
        cluster.settle()
        #expect(reads(&cluster, 1).count == 50)
    }

    @Test func aReadBeforeTheFirstCommitOfTheTermWaitsForIt() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.propose(1, 5)
        cluster.settle()
        // Server 2 is elected, but its empty entry reaches nobody yet.
        cluster.campaign(2)
        cluster.settle { message in
            if case .append = message.body { return true }
            return false
        }
        #expect(cluster.raft(2).isLeader)
        cluster.input(2, .read(token, .lease))
        cluster.input(2, .read(token, .confirmed))
        #expect(reads(&cluster, 2).isEmpty)
        cluster.fireTimer(2)
        cluster.settle()
        #expect(reads(&cluster, 2) == [.readable(token, .at(3)), .readable(token, .at(3))])
    }

    @Test func aLeaseAnswersWithoutAMessageUntilItEnds() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.fireTimer(1)
        cluster.settle()
        cluster.advance(.milliseconds(374))
        cluster.input(1, .read(token, .lease))
        #expect(reads(&cluster, 1) == [.readable(token, .at(1))])
        #expect(cluster.network.isEmpty)
        cluster.advance(.milliseconds(1))
        cluster.input(1, .read(token, .lease))
        #expect(reads(&cluster, 1).isEmpty)
        cluster.settle()
        #expect(reads(&cluster, 1) == [.readable(token, .at(1))])
    }

    @Test func theLeaseCountsFromWhenTheHeartbeatWasSent() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.fireTimer(1)
        cluster.deliver()
        cluster.advance(.milliseconds(400))
        cluster.settle()
        cluster.input(1, .read(token, .lease))
        #expect(reads(&cluster, 1).isEmpty)
    }

    @Test func aTransferEndsTheLeaseForTheRestOfTheTerm() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.fireTimer(1)
        cluster.settle()
        cluster.input(1, .transferLeadership(token, to: .number(2)))
        cluster.network = []
        for _ in 0..<12 {
            cluster.fireTimer(1)
            cluster.settle { $0.body == .timeoutNow }
        }
        #expect(cluster.raft(1).isLeader, "the transfer was given up")
        _ = cluster.takeAnswers(1)
        cluster.input(1, .read(token, .lease))
        #expect(reads(&cluster, 1).isEmpty, "the successor may still get the message")
    }

    @Test func aFollowerReadsThroughItsLeaderAndWaitsToCatchUp() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.propose(1, 5)
        cluster.settle { $0.to == .number(3) }
        cluster.input(3, .read(token, .confirmed))
        cluster.settle { message in
            if case .append = message.body { return message.to == .number(3) }
            return false
        }
        #expect(reads(&cluster, 3).isEmpty, "it knows the index but lacks the entry")
        cluster.fireTimer(1)
        cluster.settle()
        #expect(reads(&cluster, 3) == [.readable(token, .at(2))])
        #expect(cluster[3].machine.value(1) == 5)
    }

    @Test func aForwardedReadIsRepeatedAndAtLastRefused() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.input(2, .read(token, .confirmed))
        var sent = 0
        for _ in 0..<10 {
            sent += cluster.network.filter { $0.from == .number(2) }.count
            cluster.network = []
            cluster.fireTimer(2)
        }
        #expect(sent > 5)
        #expect(reads(&cluster, 2).first == .refused(token, .unconfirmed))
    }

    @Test func anOldAnswerToAForwardedReadIsNotTaken() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.input(2, .read(token, .confirmed))
        let stale = RaftMessage(
            from: .number(1),
            to: .number(2),
            term: Term(rawValue: 1),
            body: .readResponse(id: 1, index: .at(1))
        )
        cluster.network = []
        cluster.input(2, .message(stale))
        #expect(reads(&cluster, 2).isEmpty)
    }

    @Test func withoutALeaderReadsAreRefusedAtOnce() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.input(1, .read(token, .lease))
        #expect(cluster.takeAnswers(1) == [.refused(token, .notLeader(leader: nil))])
    }
}
