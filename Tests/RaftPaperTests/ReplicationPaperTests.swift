import Model
import Raft
import Simulation
import Testing

/// Sentences of the Raft paper (extended version) on the log, each as a test.
struct ReplicationPaperTests {
    private func accept(_ match: UInt64) -> RaftMessage.Body {
        .appendResponse(.accepted(match: .at(match)))
    }

    private func put(_ value: UInt64) -> RaftInput {
        let operation = Operation(id: value, key: 1, kind: .put(value))
        let token = RequestToken(rawValue: value)
        return .propose([Proposal(token: token, payload: operation.payload(padding: 0))])
    }

    // §5.3 "The leader appends the command to its log as a new entry, then issues AppendEntries
    // RPCs in parallel to each of the other servers to replicate the entry."
    @Test func aLeaderAppendsAndSendsToAll() {
        var subject = Subject()
        subject.lead()
        subject.receive(accept(1), from: 2, term: 1)
        subject.receive(accept(1), from: 3, term: 1)
        _ = subject.takeSent()
        subject.step(put(7))
        #expect(subject.raft.log.lastIndex == .at(2))
        #expect(subject.takeSent().map(\.to) == [.number(2), .number(3)])
    }

    // §5.3 "A log entry is committed once the leader that created the entry has replicated it on
    // a majority of the servers."
    @Test(arguments: [(3, 1), (5, 2)])
    func anEntryOnAMajorityIsCommitted(count: Int, needed: Int) {
        var subject = Subject(count: count)
        subject.lead()
        for peer in 2..<(2 + needed) {
            #expect(subject.raft.log.commit == .zero)
            subject.receive(accept(1), from: peer, term: 1)
        }
        #expect(subject.raft.log.commit == .at(1))
    }

    // §5.3 "This also commits all preceding entries in the leader's log, including entries created
    // by previous leaders."
    @Test func precedingEntriesAreCommittedToo() {
        var subject = Subject(terms: [1, 2, 2])
        subject.lead()
        subject.receive(accept(4), from: 2, term: 3)
        #expect(subject.raft.log.commit == .at(4))
        #expect(subject.server.machine.applied == .at(4))
    }

    // §5.3 "The leader keeps track of the highest index it knows to be committed, and it includes
    // that index in future AppendEntries RPCs (including heartbeats)". "Once a follower learns
    // that a log entry is committed, it applies the entry to its local state machine (in log
    // order)."
    @Test func theCommitIndexTravelsWithAppendsAndHeartbeats() {
        var subject = Subject()
        subject.lead()
        subject.receive(accept(1), from: 2, term: 1)
        let told = subject.takeSent().contains { message in
            guard case .append(let append) = message.body else { return false }
            return append.commit == .at(1)
        }
        #expect(told)
        subject.pass(.milliseconds(50))
        subject.step(.timer)
        let last = LogPosition(index: .at(1), term: Term(rawValue: 1))
        #expect(
            subject.takeSent().contains { message in
                guard case .heartbeat(_, let commit) = message.body else { return false }
                return commit == last
            }
        )
        var follower = Subject()
        follower.append(after: (0, 0), terms: [1, 1], commit: 1, in: 1)
        #expect(follower.server.machine.applied == .at(1))
    }

    // §5.3 "If the follower does not find an entry in its log with the same index and term, then
    // it refuses the new entries."
    @Test(
        arguments: [
            (0, 0, true), (1, 1, true), (2, 2, true), (1, 2, false), (2, 1, false), (3, 3, false),
        ] as [(UInt64, UInt64, Bool)]
    )
    func anAppendMustFitTheLog(index: UInt64, term: UInt64, fits: Bool) {
        var subject = Subject(terms: [1, 2])
        subject.append(after: (index, term), terms: [], in: 3)
        let accepted = subject.takeSent().contains { message in
            if case .appendResponse(.accepted) = message.body { return true }
            return false
        }
        #expect(accepted == fits)
    }

    // §5.3 "conflicting entries in follower logs will be overwritten with entries from the
    // leader's log."
    @Test(
        arguments: [
            ((2, 2), [3], [1, 2, 3]), ((1, 1), [3, 4], [1, 3, 4]), ((0, 0), [1], [1, 2]),
            ((0, 0), [3], [3]), ((2, 2), [], [1, 2]), ((1, 1), [2, 4], [1, 2, 4]),
        ] as [((UInt64, UInt64), [UInt64], [UInt64])]
    )
    func conflictsAreOverwrittenAndNothingElse(
        previous: (UInt64, UInt64),
        terms: [UInt64],
        expected: [UInt64]
    ) {
        var subject = Subject(terms: [1, 2])
        subject.append(after: previous, terms: terms, in: 5)
        #expect(subject.logTerms == expected)
    }

    // §5.3 "A leader never overwrites or deletes entries in its own log".
    @Test func aLeaderOnlyAppends() {
        var subject = Subject(terms: [1, 2])
        subject.lead()
        subject.append(after: (0, 0), terms: [3, 3, 3, 3], in: 3)
        #expect(subject.logTerms == [1, 2, 3])
        #expect(subject.raft.role == .leader)
    }

    // Figure 7: the logs a new leader can find, and what it makes of each.
    @Test(
        arguments: [
            [1, 1, 1, 4, 4, 5, 5, 6, 6], [1, 1, 1, 4], [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
            [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7], [1, 1, 1, 4, 4, 4, 4],
            [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
        ] as [[UInt64]]
    )
    func aLeaderBringsEveryLogOfFigureSevenInLine(terms: [UInt64]) {
        var leader = Subject(count: 3, terms: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6], term: 7)
        var follower = Subject(count: 3, terms: terms, term: 7)
        leader.lead()
        for _ in 0..<20 {
            for message in leader.takeSent() where message.to == .number(2) {
                follower.receive(message.body, from: 2, term: message.term.rawValue)
            }
            for message in follower.takeSent() {
                leader.receive(message.body, from: 2, term: message.term.rawValue)
            }
        }
        #expect(follower.logTerms == [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 8])
        #expect(follower.logTerms == leader.logTerms)
    }

    // §5.3 "the follower can include the term of the conflicting entry and the first index it
    // stores for that term. With this information, the leader can decrement nextIndex to bypass
    // all of the conflicting entries in that term".
    @Test func aTermIsSkippedPerRefusal() {
        var leader = Subject(terms: [1] + [UInt64](repeating: 5, count: 50), term: 5)
        leader.lead()
        _ = leader.takeSent()
        let hint = LogPosition(index: .at(40), term: Term(rawValue: 3))
        leader.receive(
            .appendResponse(.rejected(previous: .at(51), hint: hint)),
            from: 2,
            term: 6
        )
        let previous = leader.takeSent().compactMap { message -> LogIndex? in
            guard case .append(let append) = message.body else { return nil }
            return append.previous.index
        }
        #expect(previous == [.at(1)])
    }

    // §5.4.2 "Raft never commits log entries from previous terms by counting replicas. Only log
    // entries from the leader's current term are committed by counting replicas".
    @Test(arguments: [(1, 0), (2, 0), (3, 3)] as [(UInt64, UInt64)])
    func entriesOfEarlierTermsAreNotCounted(match: UInt64, commit: UInt64) {
        var subject = Subject(terms: [1, 2])
        subject.lead()
        subject.receive(accept(match), from: 2, term: 3)
        #expect(subject.raft.log.commit == .at(commit))
    }

    // §5.5 "Raft RPCs are idempotent, so this causes no harm. For example, if a follower receives
    // an AppendEntries request that includes log entries already present in its log, it ignores
    // those entries in the new request."
    @Test func aRepeatedAppendIsIgnored() {
        var subject = Subject()
        for _ in 0..<2 { subject.append(after: (0, 0), terms: [1, 1, 1], in: 1) }
        subject.append(after: (0, 0), terms: [1], in: 1)
        #expect(subject.logTerms == [1, 1, 1])
        #expect(subject.takeSent().map(\.body) == [accept(3), accept(3), accept(1)])
    }

    // §7 "If instead the follower receives a snapshot that describes a prefix of its log (due to
    // retransmission or by mistake), then log entries covered by the snapshot are deleted but
    // entries following the snapshot are still valid and must be retained."
    @Test func entriesBehindASnapshotAreRetained() {
        var subject = Subject(terms: [1, 1, 1, 1])
        let position = LogPosition(index: .at(2), term: Term(rawValue: 1))
        let configuration = subject.raft.log.configuration
        let point = SnapshotPoint(position: position, configuration: configuration)
        subject.step(.snapshotReceived(point, from: .number(2), term: Term(rawValue: 1)))
        #expect(subject.raft.log.lastIndex == .at(4))
        #expect(subject.raft.log.commit == .at(2))
    }

    // §8 "a leader must have the latest information on which entries are committed. [...] Raft
    // handles this by having each leader commit a blank no-op entry into the log at the start of
    // its term."
    @Test func aLeaderStartsItsTermWithABlankEntry() {
        var subject = Subject(terms: [1])
        subject.lead()
        #expect(subject.raft.log.entry(at: .at(2))?.body == .noop)
        #expect(subject.logTerms == [1, 2])
    }
}
