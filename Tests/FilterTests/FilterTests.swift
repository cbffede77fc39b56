import Filter
import RandomSupport
import Testing

@Suite("Filters")
struct FilterTests {
    @Test("a comparison with a list of records holds when it holds for any of them")
    func anyOfList() throws {
        let checks: [any FilterSubject] = [
            Record(fields: ["Status": .string("passing")]),
            Record(fields: ["Status": .string("warning")]),
        ]
        let record = Record(fields: ["Checks": .list(checks)])
        for (text, expected) in [
            ("Checks.Status == warning", true), ("Checks.Status == critical", false),
            ("Checks.Status != passing", true), ("not Checks.Status == passing", false),
            ("Checks is not empty", true), ("Checks is empty", false),
        ] {
            let filter = try Filter(text, schema: .healthService)
            #expect(filter.matches(record) == expected, "\(text)")
        }
    }

    @Test("a comparison with an empty list of records never holds")
    func emptyList() throws {
        let record = Record(fields: ["Checks": .list([])])
        #expect(try !Filter("Checks.Status != passing", schema: .healthService).matches(record))
        #expect(try Filter("Checks is empty", schema: .healthService).matches(record))
    }

    @Test("parentheses that never close are refused in time linear in their number")
    func unclosedParentheses() {
        let text = String(repeating: "(", count: 100) + "ServiceName == web"
        #expect(throws: FilterError.self) { try Filter(text, schema: .catalogService) }
    }

    @Test("nesting and length beyond the limits are refused", arguments: ["(", "not "])
    func limits(opening: String) {
        let deep = String(repeating: opening, count: 100_000) + "a == b"
        #expect(throws: FilterError("filter is longer than 65536 bytes")) {
            try Filter(deep, schema: .catalogService)
        }
        let nested = String(repeating: opening, count: 10_000) + "a == b"
        #expect(throws: FilterError("filter nests more than 200 levels")) {
            try Filter(nested, schema: .catalogService)
        }
    }

    @Test("random bytes are refused or parsed, and never end the process")
    func randomBytes() {
        var random = SeededGenerator(seed: 7)
        let pieces = [
            "(", ")", "\"", "`", "not ", " in ", "==", "Service", "[", "]", ".", "3", "é", " ",
        ]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0..<20, using: &random))
                .map { _ in pieces.randomElement(using: &random) ?? "" }
                .joined()
            // Most are refused.
            _ = try? Filter(text, schema: .catalogService)
            let bytes = (0..<20).map { _ in UInt8.random(in: 0...255, using: &random) }
            // These are refused, too.
            _ = try? Filter(String(decoding: bytes, as: UTF8.self), schema: .catalogService)
        }
    }
}
