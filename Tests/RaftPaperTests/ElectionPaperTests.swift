import Model
import Raft
import Simulation
import Testing

/// Sentences of the Raft paper (extended version) on terms and elections, each as a test.
struct ElectionPaperTests {
    // §5.1 "If one server's current term is smaller than the other's, then it updates its current
    // term to the larger value."
    @Test func aLargerTermIsTakenOver() {
        var subject = Subject(term: 1)
        subject.receive(.heartbeat(round: 1, commit: .zero), from: 2, term: 5)
        #expect(subject.raft.term == Term(rawValue: 5))
    }

    // §5.1 "If a candidate or leader discovers that its term is out of date, it immediately
    // reverts to follower state."
    @Test(arguments: [true, false])
    func aCandidateOrLeaderThatIsOutOfDateFollows(leads: Bool) {
        var subject = Subject()
        if leads { subject.lead() } else { subject.campaign() }
        #expect(subject.raft.role == (leads ? .leader : .candidate))
        subject.receive(.termNotice, from: 2, term: 9)
        #expect(subject.raft.role == .follower)
        #expect(subject.raft.term == Term(rawValue: 9))
    }

    // §5.1 "If a server receives a request with a stale term number, it rejects the request."
    @Test func aStaleRequestIsRejected() {
        var subject = Subject(term: 4)
        subject.append(after: (0, 0), terms: [3], in: 3)
        #expect(subject.raft.log.lastIndex == .zero)
        #expect(subject.takeSent().map(\.body) == [.termNotice])
    }

    // §5.2 "When servers start up, they begin as followers."
    @Test func serversBeginAsFollowers() {
        #expect(Subject().raft.role == .follower)
        #expect(Subject(terms: [1, 2], votedFor: 1).raft.role == .follower)
    }

    // §5.2 "If a follower receives no communication over a period of time called the election
    // timeout, then it assumes there is no viable leader and begins an election."
    @Test func aFollowerThatHearsNothingBeginsAnElection() {
        var subject = Subject()
        subject.pass(.milliseconds(499))
        subject.step(.timer)
        #expect(subject.raft.role == .follower)
        subject.pass(.milliseconds(501))
        subject.step(.timer)
        #expect(subject.raft.role == .preCandidate)
    }

    // §5.2 "To begin an election, a follower increments its current term and transitions to
    // candidate state. It then votes for itself and issues RequestVote RPCs in parallel to each
    // of the other servers in the cluster."
    @Test func aCandidateIncrementsItsTermVotesForItselfAndAsksAllOthers() {
        var subject = Subject(count: 5, term: 3)
        subject.campaign()
        #expect(subject.raft.role == .candidate)
        #expect(subject.raft.hardState == HardState(term: Term(rawValue: 4), votedFor: .number(1)))
        let asked = subject.takeSent().filter { message in
            if case .voteRequest = message.body { return true }
            return false
        }
        #expect(asked.map(\.to) == (2...5).map { NodeID.number($0) })
    }

    // §5.2 "A candidate wins an election if it receives votes from a majority of the servers in
    // the full cluster for the same term."
    @Test(arguments: [(3, 1), (4, 2), (5, 2), (7, 3)])
    func aMajorityElects(count: Int, needed: Int) {
        var subject = Subject(count: count)
        subject.campaign()
        for peer in 2..<(2 + needed) {
            #expect(subject.raft.role == .candidate)
            subject.receive(.voteResponse(granted: true), from: peer, term: 1)
        }
        #expect(subject.raft.role == .leader)
    }

    // §5.2 "Each server will vote for at most one candidate in a given term, on a
    // first-come-first-served basis."
    @Test func aServerVotesOncePerTerm() {
        var subject = Subject()
        subject.receive(.voteRequest(last: .zero, isTransfer: false), from: 2, term: 1)
        subject.receive(.voteRequest(last: .zero, isTransfer: false), from: 3, term: 1)
        let bodies = subject.takeSent().map(\.body)
        #expect(bodies == [.voteResponse(granted: true), .voteResponse(granted: false)])
    }

    // §5.2 "Once a candidate wins an election, it becomes leader. It then sends heartbeat messages
    // to all of the other servers to establish its authority and prevent new elections."
    @Test func aNewLeaderSendsHeartbeatsAtOnce() {
        var subject = Subject()
        subject.campaign()
        _ = subject.takeSent()
        subject.receive(.voteResponse(granted: true), from: 2, term: 1)
        let beats = subject.takeSent().filter { message in
            if case .heartbeat = message.body { return true }
            return false
        }
        #expect(beats.map(\.to) == [.number(2), .number(3)])
    }

    // §5.2 "If the leader's term (included in its RPC) is at least as large as the candidate's
    // current term, then the candidate recognizes the leader as legitimate and returns to
    // follower state."
    @Test(arguments: [1, 2] as [UInt64])
    func aCandidateRecognizesALeader(term: UInt64) {
        var subject = Subject()
        subject.campaign()
        subject.append(after: (0, 0), terms: [], in: term)
        #expect(subject.raft.role == .follower)
        #expect(subject.raft.leader == .number(2))
    }

    // §5.2 "If the term in the RPC is smaller than the candidate's current term, then the
    // candidate rejects the RPC and continues in candidate state."
    @Test func aCandidateIgnoresAnOldLeader() {
        var subject = Subject(term: 5)
        subject.campaign()
        subject.append(after: (0, 0), terms: [], in: 5)
        #expect(subject.raft.role == .candidate)
    }

    // §5.2 "When this happens, each candidate will time out and start a new election by
    // incrementing its term."
    @Test func aCandidateThatNobodyElectsStartsAgain() {
        var subject = Subject()
        subject.campaign()
        subject.campaign()
        #expect(subject.raft.role == .candidate)
        #expect(subject.raft.term == Term(rawValue: 2))
    }

    // §5.2 "Raft uses randomized election timeouts [...] chosen randomly from a fixed interval."
    @Test func electionTimeoutsAreSpreadOverTheInterval() {
        var subject = Subject()
        var tenths: Set<UInt64> = []
        for _ in 0..<200 {
            subject.append(after: (0, 0), terms: [], in: 1)
            let deadline = subject.raft.nextDeadline?.nanoseconds ?? 0
            let wait = (deadline - subject.now.nanoseconds) / 1_000_000
            #expect((500..<1000).contains(wait))
            tenths.insert(wait / 50)
        }
        #expect(tenths.count == 10)
    }

    // §5.4.1 "The voter denies its vote if its own log is more up-to-date than that of the
    // candidate." "If the logs have last entries with different terms, then the log with the
    // later term is more up-to-date. If the logs end with the same term, then whichever log is
    // longer is more up-to-date."
    @Test(
        arguments: [
            ([1], 1, 1, true), ([1], 1, 2, true), ([1, 1], 1, 1, false), ([1], 2, 1, true),
            ([1], 2, 2, true), ([1, 1], 2, 1, true), ([2], 1, 1, false), ([2], 1, 2, false),
            ([2, 1], 1, 1, false),
        ] as [([UInt64], UInt64, UInt64, Bool)]
    )
    func votersProtectMoreCompleteLogs(
        own: [UInt64],
        term: UInt64,
        index: UInt64,
        granted: Bool
    ) {
        var subject = Subject(terms: own.sorted(), term: 3)
        subject.pass(.seconds(1))
        let last = LogPosition(index: .at(index), term: Term(rawValue: term))
        subject.receive(.voteRequest(last: last, isTransfer: false), from: 2, term: 4)
        #expect(subject.takeSent().map(\.body) == [.voteResponse(granted: granted)])
    }

    // §6 "if a server receives a RequestVote RPC within the minimum election timeout of hearing
    // from a current leader, it does not update its term or grant its vote."
    @Test func aServerThatHearsALeaderIgnoresCandidates() {
        var subject = Subject()
        subject.append(after: (0, 0), terms: [], in: 1)
        _ = subject.takeSent()
        subject.pass(.milliseconds(499))
        subject.receive(.voteRequest(last: .zero, isTransfer: false), from: 3, term: 8)
        #expect(subject.takeSent().isEmpty)
        #expect(subject.raft.term == Term(rawValue: 1))
        subject.pass(.milliseconds(1))
        subject.receive(.voteRequest(last: .zero, isTransfer: false), from: 3, term: 8)
        #expect(subject.takeSent().map(\.body) == [.voteResponse(granted: true)])
    }

    // Figure 2 "Updated on stable storage before responding to RPCs."
    @Test func nothingIsPromisedBeforeItIsOnDisk() {
        var subject = Subject()
        let ask = RaftMessage(
            from: .number(2),
            to: .number(1),
            term: Term(rawValue: 1),
            body: .voteRequest(last: .zero, isTransfer: false)
        )
        let output = subject.server.step([.message(ask)], now: subject.now)
        #expect(output.messages.isEmpty)
        #expect(subject.server.disk.durable.hardState == HardState())
        let released = subject.server.finishSync(now: subject.now)?.batch.messages ?? []
        #expect(released.map(\.body) == [.voteResponse(granted: true)])
        #expect(subject.server.disk.durable.hardState.votedFor == .number(2))
    }
}
