import RandomSupport
import Testing

@testable import DNSAPI

/// The shortcut for repeated queries must give what the long way gives.
@Suite("DNS answers from the cache")
struct DNSCacheTests {
    @Test(
        "repeated answers to recorded queries have the same size, counts and kinds of records",
        arguments: [false, true]
    )
    func sameAsUncached(isTuned: Bool) throws {
        let settings = isTuned ? GoldenDNSTests.tuned : DNSSettings()
        let store = try GoldenRegistry.store()
        var cached = 0
        for exchange in try GoldenRegistry.exchanges(isTuned ? "tuned.jsonl" : "default.jsonl") {
            let query = bytes(exchange.query)
            guard exchange.transport == "udp", query.count > 12 else { continue }
            var responder = DNSResponder(
                store: store,
                settings: settings,
                serial: 0,
                random: SeededGenerator(seed: 1)
            )
            guard let reply = responder.reply(to: query, over: .udp) else { continue }
            let encoded = DNSEncoder.encode(reply)
            let plan = DNSLocationPlan(
                reply: reply,
                parts: responder.parts,
                announcedBytes: reply.options.map { Int($0.classCode) },
                settings: settings
            )
            let entry = DNSAnswerCache.Entry(
                query: query,
                reply: reply,
                encoded: encoded,
                candidates: responder.candidates
            )
            var random = SeededGenerator(seed: 2)
            var again: [UInt8]?
            if let plan {
                again = encoded.prefix(2) + plan.answer(using: &random)
            } else if let entry {
                entry.shuffle(using: &random)
                let records = entry.records.prefix(entry.sent * entry.recordBytes)
                again = encoded.prefix(2) + entry.head + records + entry.tail
            }
            guard let again else { continue }
            cached += 1
            #expect(again.count == encoded.count, "\(reply.questions)")
            #expect(again.prefix(12) == encoded.prefix(12), "\(reply.questions)")
            let decoded = try DNSDecoder.decode(again)
            // The same records encode to the same bytes: pointers lead where they should.
            #expect(DNSEncoder.encode(decoded) == again, "\(reply.questions)")
            if decoded.answers.count == responder.candidates.count || plan != nil {
                #expect(Set(decoded.answers).count == decoded.answers.count)
            }
            if reply.answers.count == max(responder.parts.count, responder.candidates.count) {
                #expect(Set(decoded.answers) == Set(reply.answers), "\(reply.questions)")
                #expect(Set(decoded.additionals) == Set(reply.additionals), "\(reply.questions)")
            }
        }
        #expect(cached > 100)
    }
}
