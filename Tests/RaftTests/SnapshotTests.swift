import Model
import Raft
import Simulation
import Testing

/// Snapshots and the log around them; the stories of etcd's `slow_follower_after_compaction`,
/// `snapshot_succeed_via_app_resp` and `snapshot_succeed_via_app_resp_behind`.
struct SnapshotTests {
    /// Server 3 missed everything after its start, and the leader compacted it.
    private func laggard(trailing: UInt64 = 0) -> ScriptedCluster {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        for value in 10...19 {
            cluster.propose(1, UInt64(value))
            cluster.settle { $0.to == .number(3) }
        }
        cluster.takeSnapshot(1, trailing: trailing)
        return cluster
    }

    @Test func aFollowerThatNeedsCompactedEntriesGetsTheSnapshot() {
        var cluster = laggard()
        cluster.fireTimer(1)
        cluster.settle()
        #expect(cluster[3].machine == cluster[1].machine)
        #expect(cluster.raft(3).log.base.index == .at(11))
        #expect(cluster.raft(1).leading.progress(of: .number(3))?.state == .replicate)
        cluster.propose(1, 30)
        cluster.settle()
        #expect(cluster[3].machine.value(1) == 30)
    }

    @Test func nothingElseIsSentWhileASnapshotIsUnderWay() {
        var cluster = laggard()
        cluster.fireTimer(1)
        while cluster.transfers.isEmpty { cluster.deliver() }
        cluster.propose(1, 30)
        cluster.propose(1, 31)
        let appends = cluster.network.filter { message in
            if case .append = message.body { return message.to == .number(3) }
            return false
        }
        #expect(appends.isEmpty)
        cluster.settle()
        #expect(cluster[3].machine.value(1) == 31)
    }

    @Test func aSnapshotThatDoesNotArriveIsSentAgain() {
        var cluster = laggard()
        cluster.fireTimer(1)
        cluster.settle { $0.to == .number(3) && $0.body == .heartbeat(round: 0, commit: .zero) }
        #expect(cluster.raft(3).log.commit == .at(1))
        for _ in 0..<3 {
            cluster.fireTimer(1)
            cluster.settle()
        }
        #expect(cluster[3].machine == cluster[1].machine)
    }

    @Test func aFollowerThatCatchesUpByItselfNeedsNoSnapshot() {
        var cluster = laggard()
        cluster.fireTimer(1)
        while cluster.transfers.isEmpty { cluster.deliver() }
        // An answer from another way says that it has everything that was compacted.
        let answer = RaftMessage(
            from: .number(3),
            to: .number(1),
            term: Term(rawValue: 1),
            body: .appendResponse(.accepted(match: .at(11)))
        )
        cluster.input(1, .message(answer))
        #expect(cluster.raft(1).leading.progress(of: .number(3))?.state == .replicate)
    }

    @Test func anAnswerFromBeforeTheCompactionDoesNotEndTheSnapshot() {
        var cluster = laggard()
        cluster.fireTimer(1)
        while cluster.transfers.isEmpty { cluster.deliver() }
        let answer = RaftMessage(
            from: .number(3),
            to: .number(1),
            term: Term(rawValue: 1),
            body: .appendResponse(.accepted(match: .at(2)))
        )
        cluster.input(1, .message(answer))
        let state = cluster.raft(1).leading.progress(of: .number(3))?.state
        #expect(state == .snapshot(through: .at(11)))
    }

    @Test func entriesKeptBeforeTheSnapshotSaveSendingIt() {
        var cluster = laggard(trailing: 20)
        cluster.fireTimer(1)
        cluster.settle()
        #expect(cluster[3].machine == cluster[1].machine)
        #expect(cluster.raft(3).log.base == .zero)
    }

    @Test func anOlderSnapshotIsNotInstalled() {
        var cluster = laggard()
        let old = cluster[1].snapshot
        cluster.fireTimer(1)
        cluster.settle()
        cluster.propose(1, 40)
        cluster.settle()
        let before = cluster[3].machine
        cluster.input(
            3,
            .snapshotReceived(old.point, from: .number(1), term: Term(rawValue: 1))
        )
        cluster.settle()
        #expect(cluster[3].machine == before)
        #expect(cluster.raft(3).log.lastIndex == .at(12))
    }

    @Test func aSnapshotWhoseLastEntryIsHereOnlyCommitsIt() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        for value in 10...19 { cluster.propose(1, UInt64(value)) }
        cluster.deliver()
        cluster.settle { $0.to == .number(3) }
        cluster.takeSnapshot(1)
        #expect(cluster.raft(3).log.lastIndex == .at(11))
        #expect(cluster.raft(3).log.commit < .at(11))
        let point = cluster[1].snapshot.point
        cluster.input(3, .snapshotReceived(point, from: .number(1), term: Term(rawValue: 1)))
        #expect(cluster.raft(3).log.commit == .at(11))
        #expect(cluster.raft(3).log.base == .zero, "the entries stay")
    }

    @Test func aSnapshotReplacesALogThatConflictsWithIt() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(3)
        for value in 50...79 { cluster.propose(3, UInt64(value)) }
        cluster.network = []
        cluster.campaign(1)
        cluster.settle { $0.to == .number(3) }
        for value in 10...19 {
            cluster.propose(1, UInt64(value))
            cluster.settle { $0.to == .number(3) }
        }
        cluster.takeSnapshot(1)
        let snapshot = cluster[1].snapshot
        #expect(cluster.raft(3).log.lastIndex > snapshot.point.index)
        cluster.fireTimer(1)
        cluster.settle()
        #expect(cluster.raft(3).log.lastPosition == cluster.raft(1).log.lastPosition)
        #expect(cluster[3].machine == cluster[1].machine)
    }

    @Test func aServerRestartsFromItsSnapshotAndTheEntriesBehindIt() {
        var cluster = ScriptedCluster(voters: 1...1)
        cluster.input(1, .timer)
        for value in 10...19 { cluster.propose(1, UInt64(value)) }
        cluster.takeSnapshot(1, trailing: 3)
        cluster.propose(1, 20)
        cluster.restart(1)
        #expect(cluster.raft(1).log.base.index == .at(8))
        #expect(cluster.raft(1).log.applied == .at(11))
        #expect(cluster.raft(1).log.lastIndex == .at(12))
        cluster.input(1, .timer)
        cluster.settle()
        #expect(cluster[1].machine.value(1) == 20)
    }

    @Test func aLogWithAGapIsRefusedAtStart() {
        let point = SnapshotPoint(
            position: .zero,
            configuration: PlacedConfiguration(
                index: .zero,
                configuration: ClusterConfiguration(members: [])
            )
        )
        var log = RaftLog(snapshot: point)
        let term = Term(rawValue: 2)
        let entries = [1, 3, 2].map { Entry(index: .at($0), term: term, body: .noop) }
        let taken = entries.map { log.recover($0) }
        #expect(taken == [true, false, true])
        let older = log.recover(Entry(index: .at(3), term: Term(rawValue: 1), body: .noop))
        #expect(!older)
        #expect(log.lastIndex == .at(2))
        #expect(log.term(at: .at(1)) == term)
        #expect(log.term(at: .at(3)) == nil)
    }
}
