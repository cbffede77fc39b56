import Model
import NIOCore
import NIOEmbedded
import StateMachine
import StateStore
import Testing

@testable import Replica

/// An in-memory log that can be busy, and counts the batches it is given.
private final class BusyLog: ReplicatedLog {
    private struct State {
        var isBusy = false
        var batches: [Int] = []
        var deliver: (ReplicationEvent) -> Void = { _ in }
    }

    private let log: InMemoryLog
    private let state: NIOLoopBoundBox<State>

    init(loop: any EventLoop) {
        let server = LogServer(id: "s1", nodeName: "one", address: "127.0.0.1:8300", isVoter: true)
        log = InMemoryLog(server: server)
        state = NIOLoopBoundBox(State(), eventLoop: loop)
    }

    /// The lengths of the batches so far.
    var batches: [Int] { state.value.batches }

    func setBusy(_ isBusy: Bool) {
        state.value.isBusy = isBusy
        if !isBusy { state.value.deliver(.ready) }
    }

    var isBusy: Bool { state.value.isBusy }

    func propose(_ entries: [ProposedEntry]) {
        state.value.batches.append(entries.count)
        log.propose(entries)
    }

    func start(
        deliver: @escaping (ReplicationEvent) -> Void,
        capture: @escaping () -> StateMachine
    ) {
        state.value.deliver = deliver
        log.start(deliver: deliver, capture: capture)
    }

    func applied(through index: LogIndex) { log.applied(through: index) }

    func awaitReadable(
        _ requirement: ReadRequirement,
        completion: @escaping (ProposalError?) -> Void
    ) {
        log.awaitReadable(requirement, completion: completion)
    }

    func ask(_ request: LeaderRequest, completion: @escaping (LeaderReply) -> Void) {
        log.ask(request, completion: completion)
    }

    func perform(_ request: LeaderRequest, completion: @escaping (LeaderReply) -> Void) {
        log.perform(request, completion: completion)
    }

    func stop(completion: @escaping () -> Void) { log.stop(completion: completion) }

    var proposer: Proposer { log.proposer }
    var leadership: Leadership { log.leadership }
    var gate: ReadGate { log.gate }
}

@Suite struct BusyLogTests {
    private let loop = EmbeddedEventLoop()
    private let log: BusyLog
    private let replica: Replica
    private let answers: NIOLoopBoundBox<[Int]>

    init() {
        log = BusyLog(loop: loop)
        var limits = ReplicaLimits()
        limits.batchedProposals = 4
        replica = Replica(
            eventLoop: loop,
            log: log,
            limits: limits,
            wallClock: { Timestamp(nanosecondsSinceEpoch: 1_000_000_000) }
        )
        answers = NIOLoopBoundBox([], eventLoop: loop)
        replica.start()
        loop.run()
    }

    private func propose(_ number: Int) {
        var entry = KeyValueEntry()
        entry.key = "key-\(number)"
        let write = KeyValueCommand(operation: .set, entry: entry)
        let answers = answers
        replica.propose(.keyValue(write), on: loop) { outcome in
            if outcome == .success(.done) { answers.value.append(number) }
        }
    }

    @Test func `What is proposed while the log is busy goes in one batch when it is ready`() {
        propose(1)
        loop.run()
        log.setBusy(true)
        for number in 2...4 {
            propose(number)
            loop.run()
        }
        #expect(log.batches == [1])
        #expect(answers.value == [1])
        log.setBusy(false)
        loop.run()
        #expect(log.batches == [1, 3])
        #expect(answers.value == [1, 2, 3, 4])
    }

    @Test func `A log that is ready again without a backlog takes the next proposal at once`() {
        log.setBusy(true)
        log.setBusy(false)
        propose(1)
        loop.run()
        #expect(log.batches == [1])
        #expect(answers.value == [1])
    }

    @Test func `More than a batch leaves a busy log's queue in order`() {
        log.setBusy(true)
        for number in 1...10 { propose(number) }
        loop.run()
        #expect(log.batches.isEmpty)
        log.setBusy(false)
        loop.run()
        #expect(log.batches == [4, 4, 2])
        #expect(answers.value == Array(1...10))
    }
}
