import Filter
import RandomSupport
import Testing

@Suite("Regular expressions")
struct RegularExpressionTests {
    @Test(
        "a pattern matches what Go's matches",
        arguments: [
            ("^web-[0-9]+$", "web-12", true), ("^web-[0-9]+$", "web-", false),
            ("(?i)straße", "STRAßE", true), ("(?i)K", "\u{212A}", true),
            ("a.c", "a\nc", false), ("(?s)a.c", "a\nc", true), ("(?m)^b$", "a\nb", true),
            ("^b$", "a\nb", false), (#"\bfoo\b"#, "a foo b", true), (#"\bfoo\b"#, "afoo", false),
            (#"\p{Lu}\p{Ll}"#, "Éa", true), (#"^\PL+$"#, "12", true), ("x{2,3}y", "xxxy", true),
            ("^x{2,3}y", "xxxxy", false), ("^(a|ab)(c|bcd)$", "abcd", true), ("", "", true),
            ("[^\\n]", "\n", false), ("(a*)*b", "aaab", true), ("^(?:a?){3}a{3}$", "aaa", true),
            ("[[:^digit:]]", "12a", true), (#"[\D]"#, "1", false), ("é{2}", "éé", true),
            (#"^\Q.*\E$"#, ".*", true), ("(?i)[^a]", "A", false), ("[a-]", "-", true),
        ]
    )
    func matches(pattern: String, text: String, expected: Bool) throws {
        #expect(try RegularExpression(pattern).matches(text) == expected)
    }

    @Test("patterns that make backtracking engines slow are matched in linear time")
    func noBacktracking() throws {
        let text = String(repeating: "a", count: 5_000)
        #expect(try !RegularExpression("^(a+)+$b").matches(text))
        #expect(try !RegularExpression("(a|aa)+c").matches(text))
        #expect(try !RegularExpression("(.*)(.*)(.*)(.*)(.*)x").matches(text))
    }

    @Test("patterns beyond the limits are refused")
    func limits() {
        let tooLong = String(repeating: "a", count: 20_000)
        let tooDeep = String(repeating: "(", count: 5_000)
        let tooLarge = String(repeating: "(abcdefghij){1000}", count: 3)
        for pattern in [tooLong, tooDeep, tooLarge] {
            #expect(throws: RegularExpressionError.self) { try RegularExpression(pattern) }
        }
    }

    @Test("random patterns are refused or compiled, and never end the process")
    func randomPatterns() {
        var random = SeededGenerator(seed: 11)
        let pieces = [
            "a", "(", ")", "[", "]", "{", "}", "1", ",", "*", "+", "?", "|", "\\", "^", "$", "-",
            "p", "x", "Q", ":", "(?", "é", "P<", ">",
        ]
        for _ in 0..<20_000 {
            let pattern = (0..<Int.random(in: 0..<12, using: &random))
                .map { _ in pieces.randomElement(using: &random) ?? "" }
                .joined()
            // Most are refused.
            if let expression = try? RegularExpression(pattern) {
                _ = expression.matches("a1-(é)x")
            }
        }
    }
}
