import Filter
import Foundation
import Testing

/// What a real Consul answered, recorded by `Tests/Conformance/record-filters.py`.
@Suite("Filters as Consul 1.8.7 answers them")
struct GoldenFilterTests {
    struct Exchange: Decodable {
        var filter: String
        var passes: Bool?
        var error: String?
    }

    @Test("every recorded filter gives the recorded result or the recorded error text")
    func replays() throws {
        let url = try #require(
            Bundle.module.url(
                forResource: "catalog-service",
                withExtension: "jsonl",
                subdirectory: "Golden"
            )
        )
        let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
        #expect(lines.count > 300)
        for line in lines {
            let exchange = try JSONDecoder().decode(Exchange.self, from: Data(line.utf8))
            do {
                let filter = try Filter(exchange.filter, schema: .catalogService)
                #expect(exchange.passes == filter.matches(Record.web), "\(exchange.filter)")
            } catch {
                #expect(exchange.error == error.description, "\(exchange.filter)")
            }
        }
    }
}
