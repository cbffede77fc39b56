import Model
import NIOCore
import NIOEmbedded
import Replica
import StateMachine
import Synchronization
import Testing

@testable import DNSAPI

/// Queries on a server that does not lead.
@Suite struct DNSGateTests {
    private let loop = EmbeddedEventLoop()
    private let log = QuestionLog()

    private func makeLoop(_ change: (inout DNSSettings) -> Void) -> DNSLoop {
        let clock: @Sendable () -> Timestamp = { Timestamp(nanosecondsSinceEpoch: 0) }
        let replica = Replica(eventLoop: loop, log: log, wallClock: clock)
        replica.start()
        loop.run()
        var settings = DNSSettings()
        change(&settings)
        return DNSLoop(replica: replica, settings: settings, wallClock: clock)
    }

    /// `nothing.service.consul. A`.
    private func query(_ id: UInt16) -> ByteBuffer {
        var bytes = ByteBuffer()
        for word in [id, 0x0100, 1, 0, 0, 0] { bytes.writeInteger(word) }
        for label in ["nothing", "service", "consul"] {
            bytes.writeInteger(UInt8(label.utf8.count))
            bytes.writeString(label)
        }
        bytes.writeInteger(UInt8(0))
        bytes.writeInteger(UInt16(1))
        bytes.writeInteger(UInt16(1))
        return bytes
    }

    private func ask(_ channel: EmbeddedChannel, _ ids: UInt16...) throws {
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 9)
        for id in ids {
            try channel.writeInbound(
                AddressedEnvelope(remoteAddress: address, data: query(id))
            )
        }
        loop.run()
    }

    /// Identifiers and response codes of what came back.
    private func answers(_ channel: EmbeddedChannel) throws -> [[UInt16]] {
        var found: [[UInt16]] = []
        while let envelope = try channel.readOutbound(as: AddressedEnvelope<ByteBuffer>.self) {
            found.append(try summary(envelope.data))
        }
        return found
    }

    private func summary(_ bytes: ByteBuffer, at offset: Int = 0) throws -> [UInt16] {
        let start = bytes.readerIndex + offset
        let id = try #require(bytes.getInteger(at: start, as: UInt16.self))
        let flags = try #require(bytes.getInteger(at: start + 2, as: UInt16.self))
        return [id, flags & 0xF]
    }

    @Test func aStaleAnswerAsksNobody() throws {
        let dns = makeLoop { _ in }
        let channel = EmbeddedChannel(handler: DatagramHandler(loop: dns), loop: loop)
        log.hear(ago: .seconds(3600))
        try ask(channel, 1)
        #expect(try answers(channel) == [[1, 3]])
        #expect(log.asked == 0)
    }

    @Test func withoutStaleAnswersQueriesWaitAndShareOneQuestion() throws {
        let dns = makeLoop { $0.allowsStale = false }
        let channel = EmbeddedChannel(handler: DatagramHandler(loop: dns), loop: loop)
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 9)
        for id: UInt16 in [1, 2] {
            channel.pipeline.fireChannelRead(
                AddressedEnvelope(remoteAddress: address, data: query(id))
            )
        }
        loop.run()
        #expect(log.asked == 1)
        #expect(try answers(channel).isEmpty)
        try ask(channel, 3)
        #expect(log.asked == 2)
        log.answer()
        loop.run()
        #expect(try answers(channel) == [[1, 3], [2, 3], [3, 3]])
        try ask(channel, 4)
        log.answer(.noLeader)
        loop.run()
        #expect(try answers(channel) == [[4, 2]])
    }

    @Test func whatIsTooStaleIsAskedFor() throws {
        let dns = makeLoop { $0.maximumStaleness = .seconds(5) }
        let channel = EmbeddedChannel(handler: DatagramHandler(loop: dns), loop: loop)
        log.hear(ago: .seconds(5))
        loop.advanceTime(by: .milliseconds(1))
        try ask(channel, 1)
        #expect(log.asked == 0)
        log.hear(ago: .milliseconds(5001))
        loop.advanceTime(by: .milliseconds(1))
        try ask(channel, 2)
        #expect(log.asked == 1)
        #expect(try answers(channel) == [[1, 3]])
    }

    @Test func queriesOfAConnectionWaitInTheirOrder() throws {
        let dns = makeLoop { $0.allowsStale = false }
        let channel = EmbeddedChannel(
            handler: StreamHandler(loop: dns, onClose: {}),
            loop: loop
        )
        var bytes = ByteBuffer()
        for id: UInt16 in [7, 8] {
            var query = query(id)
            bytes.writeInteger(UInt16(query.readableBytes))
            bytes.writeBuffer(&query)
        }
        try channel.writeInbound(bytes)
        loop.run()
        #expect(log.asked == 1)
        log.answer()
        loop.run()
        // The second one is asked for itself.
        #expect(log.asked == 1)
        log.answer(.noLeader)
        loop.run()
        #expect(log.asked == 0)
        let first = try #require(try channel.readOutbound(as: ByteBuffer.self))
        let second = try #require(try channel.readOutbound(as: ByteBuffer.self))
        #expect(try summary(first, at: 2) == [7, 3])
        #expect(try summary(second, at: 2) == [8, 2])
    }

    @Test func aConnectionThatEndsWhileItWaitsIsForgotten() throws {
        let dns = makeLoop { $0.allowsStale = false }
        let channel = EmbeddedChannel(
            handler: StreamHandler(loop: dns, onClose: {}),
            loop: loop
        )
        var bytes = ByteBuffer()
        var query = query(7)
        bytes.writeInteger(UInt16(query.readableBytes))
        bytes.writeBuffer(&query)
        try channel.writeInbound(bytes)
        loop.run()
        _ = try channel.finish(acceptAlreadyClosed: true)
        loop.run()
        log.answer()
        loop.run()
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
    }
}

/// A log without entries that keeps what it is asked.
private final class QuestionLog: ReplicatedLog {
    private struct State {
        var asked: [Answer] = []
        var lastContact = Nanoseconds.zero
    }

    // SAFETY: called only on the one loop of a test.
    private struct Answer: @unchecked Sendable {
        let call: (ProposalError?) -> Void
    }

    private let state = Mutex(State())
    let proposer = Proposer(origin: 1, start: 1)
    let gate = ReadGate()

    var asked: Int { state.withLock { $0.asked.count } }

    func hear(ago lastContact: Nanoseconds) {
        state.withLock { $0.lastContact = lastContact }
    }

    func answer(_ error: ProposalError? = nil) {
        let calls = state.withLock { state in
            defer { state.asked = [] }
            return state.asked
        }
        for answer in calls { answer.call(error) }
    }

    func start(
        deliver: @escaping (ReplicationEvent) -> Void,
        capture: @escaping () -> StateMachine
    ) {}

    func propose(_ entries: [ProposedEntry]) {}

    func applied(through index: LogIndex) {}

    func awaitReadable(
        _ requirement: ReadRequirement,
        completion: @escaping (ProposalError?) -> Void
    ) {
        let answer = Answer(call: completion)
        state.withLock { $0.asked.append(answer) }
    }

    func ask(_ request: LeaderRequest, completion: @escaping (LeaderReply) -> Void) {}

    func perform(_ request: LeaderRequest, completion: @escaping (LeaderReply) -> Void) {}

    func stop(completion: @escaping () -> Void) { completion() }

    var leadership: Leadership {
        Leadership(
            leader: nil,
            isLeader: false,
            lastContact: state.withLock { $0.lastContact },
            servers: [],
            configurationIndex: .zero,
            term: 1,
            lastLogIndex: .zero,
            commitIndex: .zero
        )
    }
}
