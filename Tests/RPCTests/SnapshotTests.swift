import Model
import NIOCore
@testable import RPC
import Raft
import RandomSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct SnapshotTests {
    /// A sender, a receiver, a snapshot of the one and a sink of the other.
    private struct Fixture: Sendable {
        let sender: TestServer
        let receiver: TestServer
        let source: NIOLoopBound<TestSource>
        let sink: NIOLoopBound<TestSink>
        let offer: SnapshotOffer
        let bytes: [UInt8]

        init(bytes count: Int = 10_000, window: Int = 2048, rate: Int = 0) async throws {
            var settings = TestServer.quick
            settings.snapshotChunkBytes = 1024
            settings.snapshotWindowBytes = window
            settings.snapshotBytesPerSecond = rate
            let sender = try await TestServer(1, settings: settings)
            let receiver = try await TestServer(2, settings: settings)
            let peers = [receiver.id: try await receiver.listen()]
            try await sender.run { transport, _ in transport.setPeers(peers) }
            var rng = SeededGenerator(seed: 31)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &rng) }
            let (from, to) = (sender.loop, receiver.loop)
            source = try await from.submit {
                NIOLoopBound(TestSource(bytes, on: from), eventLoop: from)
            }.get()
            let sink = try await to.submit {
                NIOLoopBound(TestSink(on: to), eventLoop: to)
            }.get()
            try await receiver.run { _, core in
                let sink = sink.value
                sink.notify = { [weak core] in core?.check() }
                core.reception = { _ in .accepted(sink, resumeAt: UInt64(sink.bytes.count)) }
            }
            self.sink = sink
            self.sender = sender
            self.receiver = receiver
            self.bytes = bytes
            offer = SnapshotOffer(id: 77, totalBytes: UInt64(count), metadata: [1, 2, 3])
        }

        func send() async throws {
            try await start().get()
        }

        func start() async throws -> EventLoopFuture<Void> {
            let (source, offer, to) = (source, offer, receiver.id)
            return try await sender.run { transport, _ in
                transport.sendSnapshot(offer, from: source.value, to: to)
            }
        }

        func onSink<Value: Sendable>(
            _ body: @escaping @Sendable (TestSink) -> Value
        ) async throws -> Value {
            let sink = sink
            return try await receiver.run { _, _ in body(sink.value) }
        }

        func onSource<Value: Sendable>(
            _ body: @escaping @Sendable (TestSource) -> Value
        ) async throws -> Value {
            let source = source
            return try await sender.run { _, _ in body(source.value) }
        }

        func stop() async throws {
            try await sender.stop()
            try await receiver.stop()
        }
    }

    @Test(arguments: [0, 1, 1023, 1024, 1025, 100_000])
    func `A snapshot arrives whole and is finished once`(count: Int) async throws {
        let fixture = try await Fixture(bytes: count)
        let offer = fixture.offer
        try await fixture.receiver.run { _, core in
            let accept = core.reception
            core.reception = { $0 == offer ? accept($0) : .refused("another offer") }
        }
        try await fixture.send()
        let (bytes, finished, abandoned) = try await fixture.onSink {
            ($0.bytes, $0.finished, $0.abandoned)
        }
        #expect(bytes == fixture.bytes && finished == 1 && abandoned == 0)
        #expect(try await fixture.onSource { $0.isClosed })
        try await fixture.stop()
    }

    @Test func `After a lost connection the rest is sent, not the whole`() async throws {
        let fixture = try await Fixture()
        try await fixture.onSink { sink in sink.isHeld = true }
        let attempt = try await fixture.start()
        let sink = fixture.sink
        try await fixture.receiver.wait { _ in sink.value.held.count == 2 }
        let address = try await fixture.receiver.run { transport, core in
            transport.stop()
            for promise in sink.value.held { promise.succeed() }
            sink.value.held = []
            sink.value.isHeld = false
            return core.greeting.address
        }
        await #expect(throws: PeerTransportError.self) { try await attempt.get() }
        let kept = try await fixture.onSink { ($0.bytes.count, $0.abandoned, $0.finished) }
        #expect(kept == (2048, 1, 0))
        let again = try await TestServer(2)
        let to = again.loop
        let resumed = try await to.submit { NIOLoopBound(TestSink(on: to), eventLoop: to) }.get()
        let part = Array(fixture.bytes[..<2048])
        try await again.run { _, core in
            resumed.value.bytes = part
            core.reception = { _ in .accepted(resumed.value, resumeAt: 2048) }
        }
        _ = try await again.listen(port: Int(address.split(separator: ":")[1]) ?? 0)
        try await fixture.onSource { source in #expect(source.isClosed) }
        let before = try await fixture.onSource { $0.reads.count }
        try await fixture.send()
        let bytes = try await again.run { _, _ in resumed.value.bytes }
        #expect(bytes == fixture.bytes)
        let reads = try await fixture.onSource { $0.reads }
        #expect(reads[before...].first == 2048)
        try await again.stop()
        try await fixture.stop()
    }

    @Test func `No more leaves than the window until the sink has taken it`() async throws {
        let fixture = try await Fixture(window: 3000)
        try await fixture.onSink { sink in sink.isHeld = true }
        let attempt = try await fixture.start()
        let sink = fixture.sink
        try await fixture.receiver.wait { _ in sink.value.held.count == 2 }
        // An answered question proves that the sender has had its turn.
        _ = try await fixture.sender.hello(
            try await fixture.receiver.run { _, core in core.greeting.address }
        )
        #expect(try await fixture.onSink { $0.held.count } == 2)
        try await fixture.onSink { sink in
            sink.isHeld = false
            for promise in sink.held { promise.succeed() }
        }
        try await attempt.get()
        #expect(try await fixture.onSink { $0.bytes } == fixture.bytes)
        try await fixture.stop()
    }

    @Test func `A refusal comes with its reason`() async throws {
        let fixture = try await Fixture()
        try await fixture.receiver.run { _, core in core.reception = { _ in .refused("older") } }
        await #expect(throws: PeerTransportError.refused("older")) { try await fixture.send() }
        try await fixture.stop()
    }

    @Test func `A sink that fails ends the attempt and is abandoned`() async throws {
        let fixture = try await Fixture()
        try await fixture.onSink { $0.failsAt = 3072 }
        await #expect(throws: PeerTransportError.self) { try await fixture.send() }
        let sink = fixture.sink
        try await fixture.receiver.wait { _ in sink.value.abandoned == 1 }
        #expect(try await fixture.onSink { $0.bytes.count } == 3072)
        // What it kept is not sent again.
        try await fixture.onSink { sink in
            sink.failsAt = nil
            sink.finishFails = true
        }
        await #expect(throws: PeerTransportError.self) { try await fixture.send() }
        let (bytes, finished) = try await fixture.onSink { ($0.bytes, $0.finished) }
        #expect(bytes == fixture.bytes && finished == 1)
        try await fixture.stop()
    }

    @Test func `A source that fails or is too short ends the attempt`() async throws {
        let fixture = try await Fixture()
        try await fixture.onSource { $0.failsAt = 4096 }
        await #expect(throws: PeerTransportError.self) { try await fixture.send() }
        try await fixture.onSource { source in
            source.failsAt = nil
            source.endsAt = 5000
        }
        await #expect(throws: PeerTransportError.self) { try await fixture.send() }
        #expect(try await fixture.onSink { $0.finished } == 0)
        try await fixture.stop()
    }

    @Test func `A limited rate lets everything through`() async throws {
        let fixture = try await Fixture(rate: 1_000_000)
        try await fixture.send()
        #expect(try await fixture.onSink { $0.bytes } == fixture.bytes)
        try await fixture.stop()
    }

    @Test func `Nobody sends to a server that is no peer`() async throws {
        let fixture = try await Fixture()
        try await fixture.sender.run { transport, _ in transport.setPeers([:]) }
        await #expect(throws: PeerTransportError.self) { try await fixture.send() }
        #expect(try await fixture.onSource { $0.isClosed })
        try await fixture.stop()
    }

    @Test func `Chunks that do not follow one another end the connection`() async throws {
        let fixture = try await Fixture(bytes: 0)
        let address = try await fixture.receiver.run { _, core in core.greeting.address }
        let hello = Hello(
            kind: .snapshot,
            expected: nil,
            greeting: ServerGreeting(
                cluster: 1,
                server: NodeID(rawValue: 9),
                start: .first,
                address: ""
            )
        )
        let offer = SnapshotOffer(id: 1, totalBytes: 100, metadata: [])
        let hostile: [[SnapshotFrame]] = [
            [.chunk(offset: 0, [1])],
            [.offer(offer), .chunk(offset: 1, [1])],
            [.offer(offer), .chunk(offset: 0, [])],
            [.offer(offer), .chunk(offset: 0, [UInt8](repeating: 0, count: 101))],
            [.offer(offer), .end(total: 100)],
            [.offer(offer), .chunk(offset: 0, [1]), .chunk(offset: 0, [1])],
            [.offer(offer), .offer(offer)],
            [.done],
        ]
        for frames in hostile {
            try await fixture.onSink { $0.bytes = [] }
            var writer = PeerWriter()
            hello.encode(into: &writer)
            for frame in frames { frame.encode(into: &writer) }
            _ = try await RawPeer.exchange(Preamble.bytes + writer.bytes, with: address)
        }
        await fixture.receiver.log.wait { lines in
            lines.filter { $0.contains("error: The snapshot connection") }.count == hostile.count
        }
        #expect(try await fixture.onSink { $0.finished } == 0)
        try await fixture.stop()
    }
}
