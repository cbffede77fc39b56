import DNSAPI
import Model
import NIOCore
import NIOPosix
import RandomSupport
import Replica
import StateStore
import Testing

@Suite("DNS server")
struct DNSServerTests {
    @Test("one port answers over UDP and TCP, also several queries on one connection")
    func bothProtocols() async throws {
        try await withServer { port, group in
            let query = Self.query("web.service.consul", .a)
            let datagram = try await Self.askUDP([query], port, group)
            #expect(try DNSDecoder.decode(datagram[0]).answers.count == 3)
            let answers = try await Self.askTCP([query, query, query], port, group)
            #expect(answers.count == 3)
            for answer in answers {
                #expect(try DNSDecoder.decode(answer).answers.count == 10)
            }
        }
    }

    @Test("a query split anywhere over TCP is answered")
    func splitQueries() async throws {
        try await withServer { port, group in
            let query = Self.query("web.service.consul", .a)
            for size in [1, 2, 3, 20] {
                let answers = try await Self.askTCP([query, query], port, group, partBytes: size)
                #expect(answers.count == 2)
            }
        }
    }

    @Test("every instance comes first about as often as any other, also from the cache")
    func shuffles() async throws {
        try await withServer { port, group in
            let query = Self.query("web.service.consul", .a)
            var counts: [DNSData: Int] = [:]
            for answer in try await Self.askUDP(Array(repeating: query, count: 1000), port, group) {
                let message = try DNSDecoder.decode(answer)
                #expect(Set(message.answers).count == 3)
                counts[message.answers[0].data, default: 0] += 1
            }
            #expect(counts.count == 10)
            // A fair choice strays this far once in many millions of runs.
            #expect(counts.values.allSatisfy { (40...170).contains($0) }, "\(counts)")
        }
    }

    @Test("an answer follows a change of the registry at once")
    func followsChanges() async throws {
        try await withServer { port, group, replica in
            let query = Self.query("late.service.consul", .a)
            var answer = try DNSDecoder.decode(try await Self.askUDP([query], port, group)[0])
            #expect(answer.flags.responseCode == .nameError)
            for count in 1...3 {
                try await Self.register(replica, "node\(count)", "10.0.0.\(count)", "late")
                answer = try DNSDecoder.decode(try await Self.askUDP([query], port, group)[0])
                #expect(answer.answers.count == count)
            }
        }
    }

    @Test("rubbish is dropped or refused, and the server goes on")
    func rubbish() async throws {
        try await withServer { port, group in
            var random = SeededGenerator(seed: 9)
            let good = Self.query("web.service.consul", .a)
            var queries: [[UInt8]] = []
            for _ in 0..<200 {
                var bytes = good
                for _ in 0..<3 {
                    bytes[Int.random(in: 2..<bytes.count, using: &random)] = .random(
                        in: 0...255,
                        using: &random
                    )
                }
                queries.append(Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random))))
            }
            // Whoever gets no answer must not wait for it: the good query at the end has another
            // id.
            var last = good
            last[1] = 99
            let answers = try await Self.askUDP(queries + [last], port, group, lastID: 99)
            #expect(answers.last?.prefix(2) == [0, 99])
        }
    }

    @Test("a port that someone listens on is refused")
    func portInUse() async throws {
        try await withServer { port, group in
            await #expect(throws: (any Error).self) {
                try await withServer(port: port) { _, _ in }
            }
        }
    }

    // MARK: Support

    private static let clock: @Sendable () -> Timestamp = { Timestamp(nanosecondsSinceEpoch: 0) }

    private func withServer(
        port: Int = 0,
        _ body: (Int, MultiThreadedEventLoopGroup) async throws -> Void
    ) async throws {
        try await withServer(port: port) { port, group, _ in try await body(port, group) }
    }

    private func withServer(
        port: Int = 0,
        _ body: (Int, MultiThreadedEventLoopGroup, Replica) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let member = LogServer(id: "1", nodeName: "n", address: "127.0.0.1:1", isVoter: true)
        let replica = Replica(
            eventLoop: group.next(),
            log: InMemoryLog(server: member),
            wallClock: Self.clock
        )
        let server = DNSServer(replica: replica, settings: DNSSettings(), wallClock: Self.clock)
        do {
            replica.start()
            for index in 0..<10 {
                try await Self.register(replica, "web\(index)", "10.1.0.\(index)", "web")
            }
            try await server.start(on: group, address: "127.0.0.1", port: port)
            try await body(try #require(server.ports.first), group, replica)
        } catch {
            await server.stop()
            try await group.shutdownGracefully()
            throw error
        }
        await server.stop()
        await replica.stop()
        try await group.shutdownGracefully()
    }

    private static func register(
        _ replica: Replica,
        _ node: String,
        _ address: String,
        _ name: String
    ) async throws {
        var command = RegisterCommand()
        command.datacenter = "dc1"
        command.node.name = node
        command.node.address = address
        command.node.datacenter = "dc1"
        var service = CatalogService()
        service.id = name
        service.name = name
        service.port = 80
        command.service = service
        _ = try await replica.propose(.register(command))
    }

    private static func query(_ name: String, _ type: DNSType) -> [UInt8] {
        var message = DNSMessage()
        message.flags = DNSFlags(bits: DNSFlags.recursionDesired)
        message.questions = [DNSQuestion(name: DNSName(name) ?? .root, type: type)]
        return DNSEncoder.encode(message)
    }

    /// Sends the queries one after the other, each after the answer to the one before.
    ///
    /// With `lastID` it sends all at once and waits for the answer with that id.
    private static func askUDP(
        _ queries: [[UInt8]],
        _ port: Int,
        _ group: MultiThreadedEventLoopGroup,
        lastID: UInt8? = nil
    ) async throws -> [[UInt8]] {
        let client = try await DatagramBootstrap(group: group)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<
                        AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>
                    >(
                        wrappingChannelSynchronously: channel
                    )
                }
            }
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        return try await client.executeThenClose { inbound, outbound in
            var answers: [[UInt8]] = []
            var iterator = inbound.makeAsyncIterator()
            for query in queries {
                let data = ByteBuffer(bytes: query)
                try await outbound.write(AddressedEnvelope(remoteAddress: address, data: data))
                guard lastID == nil, let answer = try await iterator.next() else { continue }
                answers.append(Array(answer.data.readableBytesView))
            }
            while let lastID, answers.last?.dropFirst().first != lastID,
                let answer = try await iterator.next()
            {
                answers.append(Array(answer.data.readableBytesView))
            }
            return answers
        }
    }

    /// Sends all queries at once in parts and waits for all answers.
    private static func askTCP(
        _ queries: [[UInt8]],
        _ port: Int,
        _ group: MultiThreadedEventLoopGroup,
        partBytes: Int = 1024
    ) async throws -> [[UInt8]] {
        let client = try await ClientBootstrap(group: group)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel
                    )
                }
            }
        return try await client.executeThenClose { inbound, outbound in
            let framed = queries.flatMap { [UInt8($0.count >> 8), UInt8($0.count & 0xFF)] + $0 }
            for start in stride(from: 0, to: framed.count, by: partBytes) {
                let part = framed[start..<min(start + partBytes, framed.count)]
                try await outbound.write(ByteBuffer(bytes: part))
            }
            var received = ByteBuffer()
            var answers: [[UInt8]] = []
            for try await var part in inbound {
                received.writeBuffer(&part)
                while let answer = received.readLengthPrefixedSlice(as: UInt16.self) {
                    answers.append(Array(answer.readableBytesView))
                }
                if answers.count == queries.count { break }
            }
            return answers
        }
    }
}
