import DNSAPI
import RandomSupport
import Testing

@Suite("DNS messages")
struct DNSCodecTests {
    private static let name = DNSName("web.service.consul") ?? .root

    private static var message: DNSMessage {
        let target = DNSName("node.dc1.consul") ?? .root
        var message = DNSMessage()
        message.id = 77
        message.flags = DNSFlags(bits: 0x8500)
        message.questions = [DNSQuestion(name: name, type: .any)]
        let authority = StartOfAuthority(
            server: target,
            mailbox: name,
            serial: 1,
            refreshSeconds: 2,
            retrySeconds: 3,
            expireSeconds: 4,
            minimumSeconds: 5
        )
        let data: [DNSData] = [
            .address(.v4(0x0A00_0001)), .address(.v6(high: 1, low: 2)), .ns(target), .cname(name),
            .ptr(target), .soa(authority), .txt([[1, 2], []]),
            .srv(priority: 1, weight: 2, port: 3, target: target), .opt([0, 10, 0, 1, 9]),
            .other(DNSType(rawValue: 99), [1, 2, 3]),
        ]
        message.answers = data.map { DNSRecord(name: name, ttlSeconds: 6, data: $0) }
        message.authorities = message.answers
        message.additionals = message.answers.reversed()
        return message
    }

    @Test("a message comes back as it was encoded", arguments: [true, false])
    func roundTrip(compresses: Bool) throws {
        let encoded = DNSEncoder.encode(Self.message, compresses: compresses)
        #expect(try DNSDecoder.decode(encoded) == Self.message)
    }

    @Test("a message that is cut off anywhere is refused or has fewer records")
    func truncations() {
        let encoded = DNSEncoder.encode(Self.message)
        for count in 0..<encoded.count {
            // Whether it is refused or not makes no difference.
            let decoded = try? DNSDecoder.decode(Array(encoded.prefix(count)))
            #expect(decoded != Self.message, "\(count)")
        }
    }

    @Test("damaged and random bytes are refused or decoded, and what was decoded encodes again")
    func randomBytes() {
        var random = SeededGenerator(seed: 5)
        let encoded = DNSEncoder.encode(Self.message)
        for round in 0..<4_000 {
            var bytes = encoded
            if round % 4 == 0 {
                bytes = (0..<Int.random(in: 0..<80, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            }
            for _ in 0..<3 where !bytes.isEmpty {
                let index = Int.random(in: bytes.indices, using: &random)
                bytes[index] = UInt8.random(in: 0...255, using: &random)
            }
            // Most are refused.
            if let message = try? DNSDecoder.decode(bytes) {
                #expect(DNSEncoder.encode(message).count >= 12)
            }
        }
    }

    @Test("a name of pointers in a circle is refused")
    func pointerLoops() {
        let header: [UInt8] = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        for name in [
            [0xC0, 0x0C], [0xC0, 0x0E, 0xC0, 0x0C], [1, 97, 0xC0, 0x0C], [0x80], [0x40, 0],
        ] {
            let bytes = header + name.map { UInt8($0) } + [0, 1, 0, 1]
            #expect(throws: DNSDecodingError.malformed) { try DNSDecoder.decode(bytes) }
        }
    }

    @Test(
        "addresses are read as Go reads them",
        arguments: [
            ("1.2.3.4", "01020304"), ("::", String(repeating: "0", count: 32)),
            ("::ffff:1.2.3.4", "01020304"), ("fd00::1", "fd000000000000000000000000000001"),
            ("1:2:3:4:5:6:7:8", "00010002000300040005000600070008"),
            ("1:2:3:4:5:6:1.2.3.4", "00010002000300040005000601020304"),
            ("1::8", "00010000000000000000000000000008"),
        ]
    )
    func addresses(text: String, hexadecimal: String) {
        #expect(IPAddress(text)?.hexadecimal == hexadecimal)
    }

    @Test(
        "what is no address is not read as one",
        arguments: [
            "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.1234", "a.b.c.d", "1..2.3", ":", ":::",
            "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "fe80::1%eth0",
            "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7::8", "::1.2.3", "1.2.3.4::",
        ]
    )
    func notAddresses(text: String) {
        #expect(IPAddress(text) == nil)
    }
}
