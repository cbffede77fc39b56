import DNSAPI
import Model
import RandomSupport
import StateStore
import Testing

/// What a real Consul answered, recorded by `Tests/Conformance/record-dns.py`.
@Suite("DNS as Consul 1.8.7 answers it")
struct GoldenDNSTests {
    static var tuned: DNSSettings {
        var settings = DNSSettings()
        settings.alternativeDomain = DNSName("example.")
        settings.nodeTTL = .seconds(7)
        settings.serviceTTL = ["*": .seconds(11), "web": .seconds(13), "man*": .seconds(17)]
        settings.onlyPassing = true
        settings.enableTruncate = true
        settings.addressLimit = 2
        settings.sendsNodeMetadata = false
        settings.udpAnswerLimit = 5
        settings.authority.refresh = .seconds(1)
        settings.authority.retry = .seconds(2)
        settings.authority.expire = .seconds(3)
        settings.authority.minimum = .seconds(4)
        return settings
    }

    private static let store = Result { try GoldenRegistry.store() }

    static var uncompressed: DNSSettings {
        var settings = DNSSettings()
        settings.disableCompression = true
        return settings
    }

    @Test(
        "every recorded query gets the recorded answer",
        arguments: ["default", "tuned", "uncompressed"]
    )
    func replays(name: String) throws {
        let all = ["tuned": Self.tuned, "uncompressed": Self.uncompressed]
        let settings = all[name] ?? DNSSettings()
        var responder = DNSResponder(
            store: try Self.store.get(),
            settings: settings,
            serial: 0,
            random: SeededGenerator(seed: 3)
        )
        let exchanges = try GoldenRegistry.exchanges("\(name).jsonl")
        #expect(exchanges.count > 40)
        for exchange in exchanges {
            let query = bytes(exchange.query)
            // The node with the long metadata, to which Consul cannot answer.
            guard exchange.answer != nil || !query.contains(Array("\u{3}odd".utf8)) else {
                continue
            }
            let transport: DNSTransport = exchange.transport == "udp" ? .udp : .tcp
            let answer = responder.respond(to: query, over: transport)
            let expected = exchange.answer.map { bytes($0) }
            let text = question(query)
            guard let answer, let expected else {
                #expect(answer == expected, "\(text)")
                continue
            }
            if exchange.random == true {
                #expect(answer.count == exchange.length ?? expected.count, "\(text)")
                #expect(answer.prefix(12) == expected.prefix(12), "\(text)")
            } else {
                #expect(answer.count == expected.count, "\(text)")
                #expect(try canonical(answer) == canonical(expected), "\(text)")
            }
        }
    }

    /// The message without what changes from one time to the next: the serial and the order.
    private func canonical(_ bytes: [UInt8]) throws -> [String] {
        let message = try DNSDecoder.decode(bytes)
        func lines(_ records: [DNSRecord]) -> [String] {
            records.map { record in
                var record = record
                if case .soa(var authority) = record.data {
                    authority.serial = 0
                    record.data = .soa(authority)
                }
                return "\(record)"
            }.sorted()
        }
        return ["\(message.id) \(String(message.flags.bits, radix: 16))", "\(message.questions)"]
            + ["answers"] + lines(message.answers)
            + ["authorities"] + lines(message.authorities)
            + ["additionals"] + lines(message.additionals)
    }

    private func question(_ query: [UInt8]) -> String {
        // Some queries are malformed on purpose.
        guard let message = try? DNSDecoder.decode(query), let question = message.questions.first
        else { return "\(query)" }
        let size = message.options.map { " \($0.classCode)" } ?? ""
        return "\(question.name) \(question.type.rawValue)\(size)"
    }
}
