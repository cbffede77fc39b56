import Model
import NIOCore
@testable import RPC
import Raft
import RandomSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct TransportTests {
    /// Two servers that know each other's addresses and have both lanes open both ways.
    private func pair(
        settings: PeerTransportSettings = TestServer.quick
    ) async throws -> (TestServer, TestServer) {
        let one = try await TestServer(1, settings: settings)
        let two = try await TestServer(2, settings: settings)
        let addresses = [one.id: try await one.listen(), two.id: try await two.listen()]
        for server in [one, two] {
            try await server.run { transport, _ in transport.setPeers(addresses) }
        }
        try await one.waitForLanes(to: two.id)
        try await two.waitForLanes(to: one.id)
        return (one, two)
    }

    private func request(_ id: UInt64, bytes: Int = 4) -> PeerMessage {
        .request(id: id, kind: 1, body: [UInt8](repeating: UInt8(id & 255), count: bytes))
    }

    @Test func `Messages of every kind arrive as they were sent`() async throws {
        let (one, two) = try await pair()
        var rng = SeededGenerator(seed: 11)
        var messages: [PeerMessage] = []
        for _ in 0..<50 {
            for kind in 0..<RandomMessages.kinds {
                var message = RandomMessages.message(kind, &rng)
                if case .raft(var raft) = message {
                    (raft.from, raft.to) = (one.id, two.id)
                    message = .raft(raft)
                }
                messages.append(message)
            }
        }
        let (sent, to, from) = (messages, two.id, one.id)
        let taken = try await one.run { transport, _ in
            defer { transport.flush() }
            return sent.map { transport.send($0, to: to) }
        }
        #expect(!taken.contains(false))
        try await two.wait { ($0.received[from]?.count ?? 0) == sent.count }
        let received = try await two.run { _, core in core.received[from] ?? [] }
        for lane in PeerLane.allCases {
            #expect(
                received.filter { $0.lane(smallBytes: 4096) == lane }
                    == sent.filter { $0.lane(smallBytes: 4096) == lane }
            )
        }
        try await one.stop()
        try await two.stop()
    }

    @Test func `A large append arrives, the same to several followers`() async throws {
        let one = try await TestServer(1)
        let followers = [try await TestServer(2), try await TestServer(3)]
        var addresses: [NodeID: String] = [:]
        for server in followers { addresses[server.id] = try await server.listen() }
        let peers = addresses
        try await one.run { transport, _ in transport.setPeers(peers) }
        for server in followers { try await one.waitForLanes(to: server.id) }
        let entries = (1...400).map { index in
            Entry(
                index: LogIndex(rawValue: UInt64(index)),
                term: Term(rawValue: 3),
                body: .command([UInt8](repeating: UInt8(index & 255), count: 5000))
            )
        }
        let append = RaftMessage.Append(previous: .zero, entries: entries, commit: .zero)
        let from = one.id
        for server in followers {
            let to = server.id
            try await one.run { transport, _ in
                let message = RaftMessage(
                    from: from,
                    to: to,
                    term: Term(rawValue: 3),
                    body: .append(append)
                )
                #expect(transport.send(.raft(message), to: to))
            }
        }
        try await one.run { transport, _ in transport.flush() }
        for server in followers {
            let to = server.id
            try await server.wait { $0.received[from]?.count == 1 }
            let message = try await server.run { _, core in core.received[from]?.first }
            guard case .raft(let raft) = message else {
                Issue.record("not a message of the core")
                continue
            }
            #expect(raft.to == to && raft.from == from && raft.body == .append(append))
        }
        for server in [one] + followers { try await server.stop() }
    }

    @Test func `Requests are answered over the peer's own lanes`() async throws {
        let (one, two) = try await pair()
        try await two.run { _, core in core.echoes = true }
        let (to, small, large) = (two.id, request(1), request(2, bytes: 100_000))
        try await one.run { transport, _ in
            transport.send(small, to: to)
            transport.send(large, to: to)
            transport.flush()
        }
        try await one.wait { $0.received[to]?.count == 2 }
        try await one.stop()
        try await two.stop()
    }

    @Test func `A lost peer is dialled again and messages flow again`() async throws {
        let (one, two) = try await pair()
        let address = try await two.run { _, core in core.greeting.address }
        let to = two.id
        try await two.stop()
        try await one.wait { core in
            core.events.contains(.lost(.priority, to)) && core.events.contains(.lost(.bulk, to))
        }
        let lost = try await one.run { transport, core in
            core.events = []
            return transport.send(.request(id: 1, kind: 1, body: []), to: to)
        }
        #expect(!lost)
        let again = try await TestServer(2)
        let port = Int(address.split(separator: ":")[1]) ?? 0
        _ = try await again.listen(port: port)
        try await one.waitForLanes(to: to)
        let message = request(5)
        try await one.run { transport, _ in
            transport.send(message, to: to)
            transport.flush()
        }
        let from = one.id
        try await again.wait { $0.received[from] == [message] }
        try await one.stop()
        try await again.stop()
    }

    @Test func `A peer at a new address is dialled there; one that is left out is not`()
        async throws
    {
        let (one, two) = try await pair()
        let moved = try await TestServer(2)
        let address = try await moved.listen()
        let to = two.id
        try await one.run { transport, core in
            core.events = []
            transport.setPeers([to: address])
        }
        try await one.waitForLanes(to: to)
        let from = one.id
        try await moved.wait { core in core.admitted.contains { $0.0.server == from } }
        let events = try await one.run { transport, core in
            transport.setPeers([:])
            #expect(!transport.isOpen(.bulk, to: to) && transport.address(of: to) == nil)
            #expect(!transport.send(.request(id: 1, kind: 1, body: []), to: to))
            return core.events
        }
        #expect(!events.contains(.lost(.bulk, to)))
        for server in [one, two, moved] { try await server.stop() }
    }

    @Test func `A greeting has its sender dialled at once`() async throws {
        var settings = TestServer.quick
        settings.shortestBackoff = .hours(1)
        settings.longestBackoff = .hours(1)
        let one = try await TestServer(1, settings: settings)
        let two = try await TestServer(2)
        // Nobody listens at the address yet: the first attempt fails, the next is an hour away.
        let reserved = try await TestServer(3)
        let address = try await reserved.listen()
        try await reserved.stop()
        let (first, second) = (one.id, two.id)
        try await one.run { transport, _ in transport.setPeers([second: address]) }
        let own = try await one.listen()
        await one.log.line(with: "bulk", "cannot connect")
        _ = try await two.listen(port: Int(address.split(separator: ":")[1]) ?? 0)
        try await two.run { transport, _ in transport.setPeers([first: own]) }
        try await one.waitForLanes(to: second)
        try await one.stop()
        try await two.stop()
    }

    @Test func `A full lane drops messages and says so once`() async throws {
        var settings = TestServer.quick
        settings.bulkLaneBytes = 100_000
        let (one, two) = try await pair(settings: settings)
        let to = two.id
        let large = request(1, bytes: 60_000)
        let taken = try await one.run { transport, _ in
            (0..<4).map { _ in transport.send(large, to: to) }
        }
        #expect(taken == [true, false, false, false])
        try await one.wait { $0.events.contains(.drops(.bulk, to)) }
        let heartbeat = try await one.run { transport, _ in
            defer { transport.flush() }
            return transport.send(.request(id: 2, kind: 1, body: []), to: to)
        }
        #expect(heartbeat)
        let from = one.id
        try await two.wait { $0.received[from]?.count == 2 }
        let drops = try await one.run { _, core in core.events.filter { $0 == .drops(.bulk, to) } }
        #expect(drops.count == 1)
        try await one.stop()
        try await two.stop()
    }

    @Test func `What a peer does not take is bounded`() async throws {
        var settings = TestServer.quick
        settings.bulkLaneBytes = 1_000_000
        let one = try await TestServer(1, settings: settings)
        let id = NodeID(rawValue: 2)
        let greeting = ServerGreeting(cluster: 1, server: id, start: .first, address: "")
        var writer = PeerWriter()
        GreetingAnswer.accepted(greeting).encode(into: &writer)
        let peer = try await RawPeer.listen(reply: Preamble.bytes + writer.bytes, readsOn: false)
        let address = "127.0.0.1:\(peer.localAddress?.port ?? 0)"
        try await one.run { transport, _ in transport.setPeers([id: address]) }
        try await one.waitForLanes(to: id)
        let message = request(1, bytes: 200_000)
        // Sockets of the system take some megabytes of their own.
        let taken = try await one.run { transport, _ in
            (0..<1000).prefix { _ in
                defer { transport.flush() }
                return transport.send(message, to: id)
            }.count
        }
        #expect((5..<1000).contains(taken))
        try await one.wait { $0.events.contains(.drops(.bulk, id)) }
        let small = try await one.run { transport, _ in
            transport.send(.request(id: 2, kind: 1, body: []), to: id)
        }
        #expect(small)
        try await one.stop()
        try await peer.close()
    }

    @Test func `Writes that do not fit into a frame travel in several`() async throws {
        var settings = TestServer.quick
        settings.frameBytes = 100_000
        let (one, two) = try await pair(settings: settings)
        let writes = (0..<9).map { number in
            ForwardedWrite(
                number: UInt64(number),
                start: 1,
                floor: 0,
                payload: [UInt8](repeating: 1, count: 10_000)
            )
        }
        let (to, from) = (two.id, one.id)
        let tooLarge = request(1, bytes: 100_000)
        try await one.run { transport, _ in
            #expect(transport.send(.forward(writes), to: to))
            #expect(!transport.send(tooLarge, to: to))
            transport.flush()
        }
        try await two.wait { core in
            let numbers = (core.received[from] ?? []).flatMap { message -> [UInt64] in
                guard case .forward(let writes) = message else { return [] }
                return writes.map(\.number)
            }
            return numbers == Array(0..<9)
        }
        try await one.stop()
        try await two.stop()
    }

    @Test func `An idle lane is asked for a sign of life, and answers`() async throws {
        var settings = TestServer.quick
        settings.keepaliveInterval = .milliseconds(5)
        let (one, two) = try await pair(settings: settings)
        for (server, peer) in [(one, two.id), (two, one.id)] {
            try await server.poll { transport in
                PeerLane.allCases.allSatisfy { transport.roundTrip(over: $0, to: peer) != nil }
            }
        }
        try await one.stop()
        try await two.stop()
    }
}
