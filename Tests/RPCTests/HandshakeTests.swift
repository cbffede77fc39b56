import Model
import NIOCore
@testable import RPC
import Raft
import RandomSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct HandshakeTests {
    /// Has `one` dial `two` and gives what `one` says of it in the end.
    private func complaint(
        of one: TestServer,
        dialling two: NodeID,
        at address: String
    )
        async throws -> String
    {
        try await one.run { transport, _ in transport.setPeers([two: address]) }
        return await one.log.line(with: "Cannot open")
    }

    private func frames(_ encode: (inout PeerWriter) -> Void) -> [UInt8] {
        var writer = PeerWriter()
        encode(&writer)
        return Preamble.bytes + writer.bytes
    }

    @Test func `A greeting can be asked for`() async throws {
        let (one, two) = (try await TestServer(1), try await TestServer(2, cluster: 0))
        let address = try await two.listen()
        try await two.run { _, core in
            core.greeting.attributes = ["version": "1"]
            core.greeting.bootstrapExpect = 3
            core.greeting.known = [
                KnownServer(id: NodeID(rawValue: 4), address: "a:1", nodeName: "four")
            ]
        }
        let expected = try await two.run { _, core in core.greeting }
        #expect(try await one.hello(address) == expected)
        let name = address.replacing("127.0.0.1", with: "localhost")
        #expect(try await one.hello(name) == expected)
        let kinds = try await two.run { _, core in core.admitted.map(\.1) }
        #expect(kinds == [.hello, .hello])
        for bad in ["nowhere", "127.0.0.1:1"] {
            await #expect(throws: PeerTransportError.self) { try await one.hello(bad) }
        }
        try await one.stop()
        try await two.stop()
        await #expect(throws: PeerTransportError.self) { try await one.hello(address) }
    }

    @Test func `A server may ask itself`() async throws {
        let one = try await TestServer(1)
        #expect(try await one.hello(try await one.listen()).server == one.id)
        try await one.stop()
    }

    @Test func `The delegate's refusal reaches the other side with its reason`() async throws {
        let (one, two) = (try await TestServer(1), try await TestServer(2))
        let address = try await two.listen()
        try await two.run { _, core in core.admits = { _ in .refused("the house is full") } }
        await #expect(throws: PeerTransportError.refused("the house is full")) {
            try await one.hello(address)
        }
        let text = try await complaint(of: one, dialling: two.id, at: address)
        #expect(text.contains("the house is full"))
        await two.log.line(with: "the house is full")
        try await one.stop()
        try await two.stop()
    }

    @Test func `A server of another cluster is refused, one of no cluster is not`() async throws {
        let one = try await TestServer(1, cluster: 5)
        let (two, three) = (
            try await TestServer(2, cluster: 6), try await TestServer(3, cluster: 0)
        )
        let address = try await two.listen()
        let text = try await complaint(of: one, dialling: two.id, at: address)
        #expect(text.contains("another cluster"))
        await #expect(throws: PeerTransportError.self) { try await one.hello(address) }
        #expect(try await three.hello(address).server == two.id)
        let admitted = try await two.run { _, core in core.admitted.map(\.0.server) }
        #expect(admitted == [three.id])
        for server in [one, two, three] { try await server.stop() }
    }

    @Test func `Lanes from before a cluster was formed are opened anew in it`() async throws {
        let one = try await TestServer(1, cluster: 0)
        let two = try await TestServer(2, cluster: 0)
        let addresses = [one.id: try await one.listen(), two.id: try await two.listen()]
        for server in [one, two] {
            try await server.run { transport, _ in transport.setPeers(addresses) }
        }
        let (first, second) = (one.id, two.id)
        try await one.waitForLanes(to: second)
        try await two.waitForLanes(to: first)
        for server in [one, two] {
            try await server.run { transport, core in
                core.events = []
                core.greeting.cluster = 5
                transport.identityChanged()
            }
        }
        try await one.waitForLanes(to: second)
        try await two.waitForLanes(to: first)
        // Who finds itself in another cluster than its peers is left by them.
        try await two.run { transport, core in
            core.greeting.cluster = 6
            transport.identityChanged()
        }
        await one.log.line(with: "Cannot open", "another cluster")
        await two.log.line(with: "Cannot open", "another cluster")
        try await one.stop()
        try await two.stop()
    }

    @Test func `Another server behind the address is refused`() async throws {
        let (one, two) = (try await TestServer(1), try await TestServer(2))
        let address = try await two.listen()
        let text = try await complaint(of: one, dialling: NodeID(rawValue: 77), at: address)
        #expect(text.contains("node-2"))
        let admitted = try await two.run { _, core in core.admitted.count }
        #expect(admitted == 0)
        try await one.stop()
        try await two.stop()
    }

    @Test func `A server with this server's id is refused`() async throws {
        let (one, two) = (try await TestServer(1), try await TestServer(2))
        let address = try await two.listen()
        try await one.run { _, core in core.greeting.server = NodeID(rawValue: 2) }
        try await one.run { transport, _ in transport.setPeers([NodeID(rawValue: 1): address]) }
        // It expects server 1 there, and is told first that it is server 2.
        let text = await one.log.line(with: "Cannot open")
        #expect(text.contains("node-2"))
        let hello = Hello(
            kind: .bulkLane,
            expected: two.id,
            greeting: ServerGreeting(cluster: 1, server: two.id, start: .first, address: "")
        )
        let reply = try await RawPeer.exchange(frames { hello.encode(into: &$0) }, with: address)
        #expect(String(decoding: reply, as: UTF8.self).contains("the same id"))
        try await one.stop()
        try await two.stop()
    }

    @Test func `An old image of a disk is refused by both sides, and told so`() async throws {
        let (one, two) = (try await TestServer(1), try await TestServer(2))
        let address = try await two.listen()
        try await two.run { _, core in core.objects = { _ in .outdated("an old image") } }
        let text = try await complaint(of: one, dialling: two.id, at: address)
        #expect(text.contains("an old image"))
        await two.log.line(with: "an old image")
        let peer = two.id
        try await one.wait { $0.outdated[peer] == "an old image" }
        await #expect(throws: PeerTransportError.refused("an old image")) {
            try await one.hello(address)
        }
        // The one that dials refuses as well, which is not the other one's word on its own disk.
        try await two.run { _, core in core.objects = { _ in nil } }
        try await one.run { _, core in
            core.outdated = [:]
            core.objects = { _ in .outdated("older than known") }
        }
        await one.log.line(with: "Cannot open", "older than known")
        let outdated = try await two.run { _, core in core.outdated }
        #expect(outdated.isEmpty)
        try await one.stop()
        try await two.stop()
    }

    @Test func `A newer connection of a lane takes the older one's place`() async throws {
        let two = try await TestServer(2)
        let address = try await two.listen()
        let hello = Hello(
            kind: .bulkLane,
            expected: two.id,
            greeting: ServerGreeting(
                cluster: 1,
                server: NodeID(rawValue: 1),
                start: .first,
                address: ""
            )
        )
        let bytes = frames { hello.encode(into: &$0) }
        // Ends only when the server ends it: when the next one has come.
        async let first = RawPeer.exchange(bytes, with: address)
        try await two.wait { $0.admitted.count == 1 }
        async let second = RawPeer.exchange(bytes + [1], with: address)
        #expect(try await first.starts(with: Preamble.bytes))
        try await two.stop()
        #expect(try await second.starts(with: Preamble.bytes))
    }

    @Test func `Strangers are closed with a line that names what they speak`() async throws {
        let two = try await TestServer(2)
        let address = try await two.listen()
        for mode in UInt8(0)...9 where mode != 3 {
            #expect(try await RawPeer.exchange([mode], with: address) == [])
            await two.log.line(with: "(mode \(mode))")
        }
        #expect(try await RawPeer.exchange([3], with: address) == [])
        await two.log.line(with: "it speaks TLS, and this server has none")
        #expect(try await RawPeer.exchange(Array("GET /".utf8), with: address) == [])
        await two.log.line(with: "first byte 71")
        #expect(try await RawPeer.exchange([22, 3, 1], with: address) == [])
        await two.log.wait { lines in
            lines.count { $0.contains("it speaks TLS, and this server has none") } == 2
        }
        try await two.stop()
    }

    @Test func `A newer version is refused in words that both sides log`() async throws {
        let two = try await TestServer(2)
        let address = try await two.listen()
        let newer = Array(Preamble.bytes[..<7]) + [Preamble.version + 1]
        let reply = try await RawPeer.exchange(newer, with: address)
        #expect(reply.starts(with: Preamble.bytes))
        #expect(String(decoding: reply, as: UTF8.self).contains("speaks version"))
        await two.log.line(with: "speaks version \(Preamble.version + 1)")
        // And the one that dials a newer server.
        let server = try await RawPeer.listen(reply: newer)
        let port = server.localAddress?.port ?? 0
        let other = NodeID(rawValue: 3)
        let text = try await complaint(of: two, dialling: other, at: "127.0.0.1:\(port)")
        #expect(text.contains("speaks version \(Preamble.version + 1)"))
        try await two.stop()
        try await server.close()
    }

    @Test func `Garbage ends its connection and nothing else`() async throws {
        var rng = SeededGenerator(seed: 21)
        let two = try await TestServer(2)
        let address = try await two.listen()
        let hello = Hello(
            kind: .priorityLane,
            expected: nil,
            greeting: ServerGreeting(
                cluster: 1,
                server: NodeID(rawValue: 1),
                start: .first,
                address: ""
            )
        )
        let admitted = frames { hello.encode(into: &$0) }
        for round in 0..<60 {
            let junk = [UInt8](repeating: 0xEE, count: 16) + rng.bytes(upTo: 400)
            let before = round % 2 == 0 ? admitted : Preamble.bytes
            _ = try await RawPeer.exchange(before + junk, with: address)
        }
        await two.log.line(with: "error: The priority lane of")
        let one = try await TestServer(1)
        #expect(try await one.hello(address).server == two.id)
        try await one.stop()
        try await two.stop()
    }

    @Test func `What came before the garbage is still received`() async throws {
        let two = try await TestServer(2)
        let address = try await two.listen()
        let from = NodeID(rawValue: 1)
        let hello = Hello(
            kind: .priorityLane,
            expected: nil,
            greeting: ServerGreeting(cluster: 1, server: from, start: .first, address: "")
        )
        let message = PeerMessage.request(id: 3, kind: 1, body: [1, 2, 3])
        let bytes = frames { writer in
            hello.encode(into: &writer)
            message.encode(into: &writer)
            writer.number(UInt64.max)
        }
        _ = try await RawPeer.exchange(bytes, with: address)
        try await two.wait { $0.received[from] == [message] }
        try await two.stop()
    }

    @Test func `A peer that says nothing is given up and dialled again`() async throws {
        var settings = TestServer.quick
        settings.handshakeTimeout = .milliseconds(20)
        let one = try await TestServer(1, settings: settings)
        let dialled = TestLog()
        let silent = try await RawPeer.listen(reply: []) { dialled.add("connected") }
        let address = "127.0.0.1:\(silent.localAddress?.port ?? 0)"
        let text = try await complaint(of: one, dialling: NodeID(rawValue: 2), at: address)
        #expect(text.contains("no greeting"))
        await #expect(throws: PeerTransportError.unreachable("no answer within 5 ms")) {
            try await one.hello(address, timeout: .milliseconds(5))
        }
        await dialled.wait { $0.count >= 6 }
        #expect(one.log.lines.filter { $0.contains("Cannot open") }.count == 2)
        try await one.stop()
        try await silent.close()
    }

    @Test func `A stranger that says nothing is closed`() async throws {
        var settings = TestServer.quick
        settings.handshakeTimeout = .milliseconds(20)
        let two = try await TestServer(2, settings: settings)
        let address = try await two.listen()
        #expect(try await RawPeer.exchange([], with: address) == [])
        #expect(try await RawPeer.exchange(Preamble.bytes, with: address) == [])
        try await two.stop()
    }

    @Test func `A peer that falls silent after its greeting is lost`() async throws {
        var settings = TestServer.quick
        settings.keepaliveTimeout = .milliseconds(100)
        let one = try await TestServer(1, settings: settings)
        let greeting = ServerGreeting(
            cluster: 1,
            server: NodeID(rawValue: 2),
            start: .first,
            address: ""
        )
        let reply = frames { GreetingAnswer.accepted(greeting).encode(into: &$0) }
        let peer = try await RawPeer.listen(reply: reply)
        let address = "127.0.0.1:\(peer.localAddress?.port ?? 0)"
        let id = greeting.server
        try await one.run { transport, _ in transport.setPeers([id: address]) }
        try await one.waitForLanes(to: id)
        try await one.wait { $0.events.contains(.lost(.bulk, id)) }
        await one.log.line(with: "no sign of life")
        try await one.stop()
        try await peer.close()
    }

    @Test func `A dialler that falls silent after its greeting is closed`() async throws {
        var settings = TestServer.quick
        settings.keepaliveTimeout = .milliseconds(100)
        let two = try await TestServer(2, settings: settings)
        let address = try await two.listen()
        let hello = Hello(
            kind: .bulkLane,
            expected: nil,
            greeting: ServerGreeting(
                cluster: 1,
                server: NodeID(rawValue: 1),
                start: .first,
                address: ""
            )
        )
        _ = try await RawPeer.exchange(frames { hello.encode(into: &$0) }, with: address)
        await two.log.line(with: "nothing came for")
        try await two.stop()
    }

    @Test func `No more strangers wait than may`() async throws {
        var settings = TestServer.quick
        settings.pendingConnections = 0
        let two = try await TestServer(2, settings: settings)
        let address = try await two.listen()
        #expect(try await RawPeer.exchange(Preamble.bytes, with: address) == [])
        await two.log.line(with: "too many")
        try await two.stop()
    }
}
