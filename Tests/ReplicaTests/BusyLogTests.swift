import Model
import NIOCore
import NIOEmbedded
import Testing

@testable import Replica

@Suite struct BusyLogTests {
    private let loop = EmbeddedEventLoop()
    private let log: ControlledLog
    private let replica: Replica
    private let answers: NIOLoopBoundBox<[Int]>

    init() {
        log = ControlledLog(loop: loop)
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
