import Checksums
import Model
@testable import RPC
import Raft
import RandomSupport
import Testing

@Suite struct CodecTests {
    private func encoded(_ message: PeerMessage) -> [UInt8] {
        var writer = PeerWriter()
        message.encode(into: &writer)
        return writer.bytes
    }

    private func decoded(_ bytes: [UInt8]) throws(PeerCodecError) -> PeerMessage {
        try PeerMessage.decode(
            frame: bytes,
            from: RandomMessages.sender,
            to: RandomMessages.receiver
        )
    }

    /// The same body under a checksum that is right for it.
    private func sealed(_ body: [UInt8]) -> [UInt8] {
        var writer = PeerWriter()
        writer.number(UInt32(body.count))
        writer.number(CRC32C.checksum(body))
        writer.rest(body)
        return writer.bytes
    }

    @Test func `Every message comes back as it was`() throws {
        var rng = SeededGenerator(seed: 1)
        for _ in 0..<200 {
            for kind in 0..<RandomMessages.kinds {
                let message = RandomMessages.message(kind, &rng)
                #expect(try decoded(encoded(message)) == message)
            }
        }
    }

    @Test func `Every configuration comes back as it was`() throws {
        var rng = SeededGenerator(seed: 2)
        for _ in 0..<200 {
            let configuration = RandomMessages.configuration(&rng)
            #expect(try ClusterConfiguration(encoded: configuration.encoded) == configuration)
            let cut = Array(configuration.encoded.dropLast())
            #expect(throws: PeerCodecError.self) { try ClusterConfiguration(encoded: cut) }
        }
    }

    @Test func `A greeting and its answer come back as they were`() throws {
        var rng = SeededGenerator(seed: 3)
        for round in 0..<200 {
            let greeting = RandomMessages.greeting(&rng)
            let kind = ConnectionKind.allCases[round % 4]
            let hello = Hello(
                kind: kind,
                expected: round % 3 == 0 ? nil : rng.id(),
                greeting: greeting
            )
            var writer = PeerWriter()
            hello.encode(into: &writer)
            try writer.bytes.withUnsafeBytes { raw in
                var (kind, reader) = try Frame.open(raw)
                #expect(kind == .hello)
                #expect(try Hello(from: &reader) == hello)
                try reader.finish()
            }
            for answer in [GreetingAnswer.accepted(greeting), .refused(rng.text())] {
                writer.clear()
                answer.encode(into: &writer)
                try writer.bytes.withUnsafeBytes { raw in
                    var (kind, reader) = try Frame.open(raw)
                    #expect(try GreetingAnswer.decode(kind, &reader) == answer)
                    try reader.finish()
                }
            }
        }
    }

    @Test func `A frame that ends early is refused wherever it ends`() {
        var rng = SeededGenerator(seed: 4)
        for kind in 0..<RandomMessages.kinds {
            let frame = encoded(RandomMessages.message(kind, &rng))
            for length in 0..<frame.count {
                #expect(throws: PeerCodecError.self) { try decoded(Array(frame[..<length])) }
            }
        }
    }

    /// Kinds whose body ends where the frame ends are left out: a shorter one is another message.
    @Test func `A body that ends early is refused also under a right checksum`() {
        var rng = SeededGenerator(seed: 5)
        for kind in 0..<15 {
            let body = encoded(RandomMessages.message(kind, &rng)).dropFirst(Frame.headBytes)
            for length in 0..<body.count {
                #expect(throws: PeerCodecError.self) {
                    try decoded(sealed(Array(body.prefix(length))))
                }
            }
            #expect(throws: PeerCodecError.trailing(bytes: 1)) {
                try decoded(sealed(Array(body) + [0]))
            }
        }
    }

    @Test func `A changed bit is noticed`() {
        var rng = SeededGenerator(seed: 6)
        for kind in 0..<RandomMessages.kinds {
            let frame = encoded(RandomMessages.message(kind, &rng))
            for bit in 0..<(frame.count * 8) {
                var damaged = frame
                damaged[bit / 8] ^= 1 << (bit % 8)
                #expect(throws: PeerCodecError.self) { try decoded(damaged) }
            }
        }
    }

    /// Damage that the checksum does not show: what a hostile or a faulty peer may send.
    @Test func `Damage under a right checksum is refused or is another message`() throws {
        var rng = SeededGenerator(seed: 7)
        for _ in 0..<3000 {
            let kind = rng.below(RandomMessages.kinds)
            var body = Array(encoded(RandomMessages.message(kind, &rng)).dropFirst(8))
            for _ in 0...rng.below(4) {
                body[rng.below(body.count)] = UInt8(rng.below(256))
            }
            do throws(PeerCodecError) {
                let message = try decoded(sealed(body))
                #expect(try decoded(encoded(message)) == message)
            } catch {}
        }
    }

    /// The first frames of strangers and those of snapshots, cut or changed, sealed anew.
    @Test func `Damaged greetings and snapshots are refused or are others`() throws {
        var rng = SeededGenerator(seed: 10)
        var refused = 0
        for round in 0..<4000 {
            var writer = PeerWriter()
            let offer = SnapshotOffer(id: 5, totalBytes: rng.next(), metadata: rng.bytes(upTo: 9))
            switch round % 5 {
            case 0:
                let greeting = RandomMessages.greeting(&rng)
                Hello(kind: .bulkLane, expected: nil, greeting: greeting).encode(into: &writer)
            case 1: GreetingAnswer.accepted(RandomMessages.greeting(&rng)).encode(into: &writer)
            case 2: GreetingAnswer.refused(rng.text()).encode(into: &writer)
            case 3: SnapshotFrame.offer(offer).encode(into: &writer)
            default: SnapshotFrame.chunk(offset: 3, rng.bytes(upTo: 9)).encode(into: &writer)
            }
            var body = Array(writer.bytes.dropFirst(Frame.headBytes))
            for _ in 0..<rng.below(3) { body[rng.below(body.count)] = UInt8(rng.below(256)) }
            if rng.below(2) == 0 { body.removeLast(rng.below(body.count)) }
            sealed(body).withUnsafeBytes { raw in
                do throws(PeerCodecError) {
                    var (kind, reader) = try Frame.open(raw)
                    switch kind {
                    case .hello: _ = try Hello(from: &reader)
                    case .accepted, .refused: _ = try GreetingAnswer.decode(kind, &reader)
                    default: _ = try SnapshotFrame.decode(kind, &reader)
                    }
                    try reader.finish()
                } catch {
                    refused += 1
                }
            }
        }
        #expect((1000..<4000).contains(refused))
    }

    @Test func `Random bytes never trap`() {
        var rng = SeededGenerator(seed: 8)
        for _ in 0..<5000 {
            let bytes = rng.bytes(upTo: 200)
            #expect(throws: PeerCodecError.self) { try decoded(bytes) }
            if !bytes.isEmpty {
                // Whether it is a message does not matter here.
                _ = try? decoded(sealed(bytes))
            }
        }
    }

    @Test func `A count beyond what can follow is refused before room is made for it`() {
        var writer = PeerWriter()
        writer.number(Frame.Kind.forward.rawValue)
        writer.number(UInt32.max)
        writer.rest([0, 0, 0])
        #expect(throws: PeerCodecError.self) { try decoded(sealed(writer.bytes)) }
        writer.clear()
        writer.number(Frame.Kind.append.rawValue)
        for _ in 0..<4 { writer.number(UInt64(1)) }
        writer.number(UInt32(1_000_000))
        #expect(throws: PeerCodecError.tooLarge(what: "entries", found: 1_000_000, most: 0)) {
            try decoded(sealed(writer.bytes))
        }
    }

    @Test func `A frame beyond the limit is refused by its head`() throws {
        let head: [UInt8] = [1, 0, 0, 1, 0, 0, 0, 0]
        #expect(throws: PeerCodecError.self) {
            try head.withUnsafeBytes { try Frame.extent(of: $0, limit: 16 * 1024 * 1024) }
        }
        try head.withUnsafeBytes { raw in
            let extent = try Frame.extent(of: raw, limit: 1 << 24 | 1)
            #expect(extent == .bytes((1 << 24 | 1) + 8))
        }
    }

    @Test func `Only elections, heartbeats, reads and small requests take the priority lane`() {
        var rng = SeededGenerator(seed: 9)
        for kind in 0..<13 {
            let lane = RandomMessages.message(kind, &rng).lane(smallBytes: 10)
            #expect(lane == ((4...6).contains(kind) ? .bulk : .priority))
        }
        let body = [UInt8](repeating: 0, count: 11)
        #expect(PeerMessage.request(id: 1, kind: 1, body: body).lane(smallBytes: 10) == .bulk)
        #expect(PeerMessage.request(id: 1, kind: 1, body: body).lane(smallBytes: 11) == .priority)
        #expect(PeerMessage.forward([]).lane(smallBytes: 10) == .bulk)
    }

    @Test func `Strangers are known by their first bytes`() {
        #expect(Stranger(preamble: []) == nil)
        for length in 0...8 { #expect(Stranger(preamble: Array(Preamble.bytes[..<length])) == nil) }
        #expect(Stranger(preamble: [4]) == .consul(mode: 4))
        #expect(Stranger(preamble: [22, 3, 1]) == .tls)
        #expect(Stranger(preamble: Array("GET / HT".utf8)) == .unknown(71))
        #expect(Stranger(preamble: Array("mUSELESS".utf8)) == .unknown(0x6D))
        #expect(Stranger(preamble: Array(Preamble.bytes[..<7]) + [9]) == .version(9))
        for mode in 0...9 {
            let text = Stranger.consul(mode: UInt8(mode)).description
            #expect(text.contains("mode \(mode)"))
        }
    }

    @Test func `Addresses are host and port`() {
        #expect(PeerAddress("10.0.0.1:8300")?.host == "10.0.0.1")
        #expect(PeerAddress("[::1]:8300")?.host == "::1")
        #expect(PeerAddress("server-1:8300")?.port == 8300)
        for bad in ["", "a", "a:", ":1", "a:0", "a:65536", "::1:8300", "a:x"] {
            #expect(PeerAddress(bad) == nil)
        }
    }
}
