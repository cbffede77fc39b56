import Model
import Raft
import Simulation
import Testing

/// Replication; the stories of etcd's `probe_and_replicate`, `replicate_pause`,
/// `heartbeat_resp_recovers_from_probing`, `lagging_commit`, `async_storage_writes` and its race.
struct ReplicationTests {
    @Test func anEntryIsCommittedAppliedAndAnswered() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.propose(1, 5)
        cluster.settle()
        #expect(cluster.takeAnswers(1) == [.committed(RequestToken(rawValue: 5), .at(2))])
        for number in 1...3 { #expect(cluster[number].machine.value(1) == 5) }
    }

    @Test func aFollowerRefusesProposalsAndNamesTheLeader() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.propose(2, 5)
        let refusal = RaftRefusal.notLeader(leader: .number(1))
        #expect(cluster.takeAnswers(2) == [.refused(RequestToken(rawValue: 5), refusal)])
    }

    @Test func proposalsOfOneTurnTravelInOneAppend() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.propose(1, 5, 6, 7)
        #expect(cluster.network.count == 2)
        cluster.settle()
        #expect(cluster.raft(3).log.commit == .at(4))
    }

    @Test func appendsFlowAheadOfTheirAnswersUpToTheWindow() {
        var cluster = ScriptedCluster(voters: 1...3) { id in
            var settings = RaftSettings(id: id)
            settings.limits.appendsInFlight = 3
            return settings
        }
        cluster.elect(1)
        for value in 10...20 { cluster.propose(1, UInt64(value)) }
        #expect(cluster.raft(1).leading.progress(of: .number(3))?.appendsInFlight == 3)
        #expect(cluster.network.filter { $0.to == .number(3) }.count == 3)
        cluster.settle { $0.to == .number(3) }
        #expect(cluster.raft(2).log.commit == .at(12))
        #expect(cluster.raft(3).log.commit == .at(1))
        // The window is full of appends that were lost: a heartbeat's answer finds that out.
        cluster.fireTimer(1)
        cluster.settle()
        #expect(cluster.raft(3).log.commit == .at(12))
    }

    @Test func theWindowIsBoundedInBytesToo() {
        var cluster = ScriptedCluster(voters: 1...3) { id in
            var settings = RaftSettings(id: id)
            settings.limits.bytesInFlight = 200
            return settings
        }
        cluster.elect(1)
        for value in 10...20 { cluster.propose(1, UInt64(value)) }
        #expect((cluster.raft(1).leading.progress(of: .number(3))?.bytesInFlight ?? 0) < 300)
        cluster.settle()
        #expect(cluster.raft(3).log.commit == .at(12))
    }

    @Test func aLostProbeIsRepeatedAfterTheNextHeartbeat() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.campaign(1)
        cluster.settle { message in
            if case .append = message.body { return message.to == .number(3) }
            return false
        }
        #expect(cluster.raft(1).leading.progress(of: .number(3))?.state == .probe)
        cluster.fireTimer(1)
        cluster.settle()
        #expect(cluster.raft(1).leading.progress(of: .number(3))?.state == .replicate)
        #expect(cluster.raft(3).log.commit == .at(1))
    }

    @Test func aLogThatDivergedIsBroughtBackOneTermPerRefusal() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        // Server 1 collects entries that nobody else gets, then loses office.
        for value in 10...30 { cluster.propose(1, UInt64(value)) }
        cluster.network = []
        cluster.elect(2)
        cluster.propose(2, 50)
        cluster.settle()
        #expect(cluster.raft(1).log.lastPosition == cluster.raft(2).log.lastPosition)
        #expect(cluster[1].machine.value(1) == 50)
        // What was overwritten had no effect, and its proposers are told so.
        let lost = (10...30).filter { value in
            cluster.answers[.number(1)]?.contains { answer in
                if case .refused(RequestToken(rawValue: UInt64(value)), _) = answer { return true }
                return false
            } == true
        }
        #expect(lost.count == 2, "indexes 2 and 3 were decided otherwise, the rest is open")
    }

    @Test func aProposalThatALaterLeaderCommitsIsStillAnswered() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.propose(1, 5)
        cluster.deliver { $0.to == .number(3) }
        cluster.network = []
        cluster.elect(2)
        #expect(!cluster.raft(1).isLeader)
        #expect(cluster.takeAnswers(1) == [.committed(RequestToken(rawValue: 5), .at(2))])
        #expect(cluster[3].machine.value(1) == 5)
    }

    @Test func aHeartbeatCommitsWhatTheFollowerVerifiablyHas() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.propose(1, 5)
        // Server 3 gets the entry but never hears that it is committed.
        cluster.deliver()
        cluster.deliver()
        cluster.settle { $0.to == .number(3) }
        #expect(cluster.raft(3).log.commit == .at(1))
        cluster.fireTimer(1)
        cluster.deliver()
        #expect(cluster.raft(3).log.commit == .at(2))
    }

    @Test func theLeaderCountsItselfOnlyOnceItsOwnLogIsSynced() {
        var cluster = ScriptedCluster(voters: 1...2)
        cluster.elect(1)
        cluster.slowDisks = [.number(1)]
        cluster.propose(1, 5)
        cluster.settle()
        #expect(cluster.raft(2).log.lastIndex == .at(2))
        #expect(cluster.raft(1).log.commit == .at(1))
        cluster.sync(1)
        #expect(cluster.raft(1).log.commit == .at(2))
    }

    @Test func aFollowerAcknowledgesOnlyWhatIsSynced() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.slowDisks = [.number(2), .number(3)]
        cluster.propose(1, 5)
        cluster.settle()
        #expect(cluster.raft(1).log.commit == .at(1))
        cluster.sync(3)
        cluster.settle()
        #expect(cluster.raft(1).log.commit == .at(2))
    }

    @Test func aDiskThatIsBusyWithEntriesHoldsUpNoHeartbeat() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.slowDisks = [.number(2)]
        cluster.propose(1, 5)
        cluster.deliver()
        cluster.network = []
        cluster.fireTimer(1)
        cluster.deliver()
        let bodies = cluster.network.filter { $0.from == .number(2) }.map(\.body)
        #expect(bodies.contains { if case .heartbeatResponse = $0 { true } else { false } })
        #expect(!bodies.contains { if case .appendResponse = $0 { true } else { false } })
    }

    @Test func aSyncOfEntriesThatWereOverwrittenSaysNothingOfTheNewOnes() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.slowDisks = [.number(1)]
        cluster.propose(1, 5)
        cluster.network = []
        cluster.elect(2)
        // Entry 2 of server 1 is of term 1 on its disk queue and of term 2 in its log.
        #expect(cluster.raft(1).log.term(at: .at(2)) == Term(rawValue: 2))
        #expect(cluster.raft(1).log.stable < .at(2))
        cluster.sync(1)
        #expect(cluster.raft(1).log.stable == .at(2))
    }

    @Test func tooMuchUncommittedIsRefusedAtOnce() {
        var cluster = ScriptedCluster(voters: 1...3) { id in
            var settings = RaftSettings(id: id)
            settings.limits.uncommittedBytes = 200
            return settings
        }
        cluster.elect(1)
        for value in 10...20 { cluster.propose(1, UInt64(value)) }
        let refused = cluster.takeAnswers(1)
        #expect(refused.contains(.refused(RequestToken(rawValue: 20), .overloaded)))
        cluster.settle()
        cluster.propose(1, 21)
        cluster.settle()
        #expect(cluster[3].machine.value(1) == 21)
    }

    @Test func entriesThatLeftMemoryAreReadBackFromDisk() {
        var cluster = ScriptedCluster(voters: 1...3) { id in
            var settings = RaftSettings(id: id)
            settings.limits.windowBytes = 300
            return settings
        }
        cluster.elect(1)
        for value in 10...40 {
            cluster.propose(1, UInt64(value))
            cluster.settle { $0.to == .number(3) }
        }
        #expect(cluster.raft(1).log.windowStart > .at(20))
        cluster.fireTimer(1)
        cluster.settle()
        #expect(cluster[3].machine == cluster[1].machine)
        #expect(cluster.raft(3).log.commit == .at(32))
    }

    @Test func reorderedAndRepeatedAppendsChangeNothing() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        for value in 10...14 { cluster.propose(1, UInt64(value)) }
        let sent = cluster.network
        cluster.settle()
        cluster.network = sent.reversed() + sent
        cluster.settle()
        for number in 1...3 { #expect(cluster.raft(number).log.commit == .at(6)) }
        #expect(cluster[2].machine == cluster[3].machine)
    }

    @Test func aLeaderThatContradictsWhatIsCommittedIsNotFollowed() {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        cluster.propose(1, 5)
        cluster.settle()
        let rogue = Entry(index: .at(3), term: Term(rawValue: 9), body: .noop)
        let early = Entry(index: .at(2), term: Term(rawValue: 9), body: .noop)
        let append = RaftMessage.Append(
            previous: LogPosition(index: .at(1), term: Term(rawValue: 1)),
            entries: [early, rogue],
            commit: .at(3)
        )
        let message = RaftMessage(
            from: .number(3),
            to: .number(2),
            term: Term(rawValue: 9),
            body: .append(append)
        )
        cluster.input(2, .message(message))
        cluster.input(2, .message(message))
        #expect(cluster.raft(2).log.term(at: .at(2)) == Term(rawValue: 1))
    }

    @Test(arguments: [0, 1, 2, 3, 4])
    func implausibleMessagesAreIgnored(which: Int) {
        var cluster = ScriptedCluster(voters: 1...3)
        cluster.elect(1)
        let huge = LogIndex(rawValue: .max)
        let entry = Entry(index: .at(7), term: Term(rawValue: 1), body: .noop)
        let bodies: [RaftMessage.Body] = [
            .append(.init(previous: .zero, entries: [entry], commit: .zero)),
            .append(.init(previous: .init(index: huge, term: .zero), entries: [], commit: huge)),
            .appendResponse(.accepted(match: huge)),
            .heartbeat(round: .max, commit: .init(index: huge, term: .zero)),
            .appendResponse(.rejected(previous: huge, hint: .zero)),
        ]
        let target = which == 2 || which == 4 ? 1 : 2
        let message = RaftMessage(
            from: .number(3 - target),
            to: .number(target),
            term: Term(rawValue: 1),
            body: bodies[which]
        )
        let before = cluster.raft(target).log.lastPosition
        cluster.input(target, .message(message))
        #expect(cluster.raft(target).log.lastPosition == before)
        #expect(cluster.raft(1).isLeader)
        #expect(cluster.notes[.number(target)]?.last == .implausible(from: .number(3 - target)))
    }
}

extension LogIndex {
    static func at(_ index: UInt64) -> LogIndex {
        LogIndex(rawValue: index)
    }
}
