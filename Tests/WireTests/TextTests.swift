import Model
import Testing
import Wire

@Suite("Go's texts")
struct TextTests {
    @Test(
        "Durations parse as Go's ParseDuration parses them",
        arguments: [
            ("0", 0), ("5s", 5_000_000_000), ("1h2m3.5s", 3_723_500_000_000),
            ("-1.5h", -5_400_000_000_000),
            ("+5s", 5_000_000_000), ("5.s", 5_000_000_000), (".5s", 500_000_000), ("100ns", 100),
            ("3µs", 3_000), ("3μs", 3_000), ("3us", 3_000), ("10ms", 10_000_000),
            ("1ns1us", 1_001), ("9223372036854775807ns", Int64.max),
            ("0.9223372036854775807h", 3_320_413_933_267), ("39h9m14.425s", 140_954_425_000_000),
        ]
    )
    func durations(text: String, nanoseconds: Int64) {
        #expect(GoDuration.parse(text)?.rawValue == nanoseconds)
    }

    @Test(
        "What Go refuses is refused in its words",
        arguments: [
            ("", #"time: invalid duration """#), ("3", #"time: missing unit in duration "3""#),
            ("-", #"time: invalid duration "-""#), ("s", #"time: invalid duration "s""#),
            (".s", #"time: invalid duration ".s""#), ("x", #"time: invalid duration "x""#),
            ("3x", #"time: unknown unit "x" in duration "3x""#),
            ("9223372036854775808ns", #"time: invalid duration "9223372036854775808ns""#),
            ("3000000h", #"time: invalid duration "3000000h""#),
            ("99999999999999999999s", #"time: invalid duration "99999999999999999999s""#),
        ]
    )
    func badDurations(text: String, message: String) {
        #expect(throws: WireError(.value, message)) { try GoDuration.parseOrThrow(text) }
        #expect(GoDuration.parse(text) == nil)
    }

    @Test(
        "Durations print as Go prints them",
        arguments: [
            (0, "0s"), (1, "1ns"), (1_100, "1.1µs"), (2_200_000, "2.2ms"), (3_300_000_000, "3.3s"),
            (90_000_000_000, "1m30s"), (5_400_000_000_000, "1h30m0s"), (-1_500_000, "-1.5ms"),
            (245_003_000_000, "4m5.003s"), (Int64.min, "-2562047h47m16.854775808s"),
            (Int64.max, "2562047h47m16.854775807s"),
        ]
    )
    func printedDurations(nanoseconds: Int64, text: String) {
        #expect(GoDuration.format(Nanoseconds(rawValue: nanoseconds)) == text)
    }

    @Test("Quoted text has Go's escapes")
    func quotes() {
        #expect(
            GoQuote.quote("a\"b\\\n\u{0}\u{7F}é\u{2028}\u{1F600}\u{10FFFF}")
                == #""a\"b\\\n\x00\x7fé\u2028😀\U0010ffff""#
        )
        #expect(GoQuote.quote(character: UInt8(ascii: "'")) == #"'\''"#)
        #expect(GoQuote.quote(character: UInt8(ascii: "\"")) == #"'"'"#)
    }

    @Test("Base64 round trips and refuses what Go refuses, at the same byte")
    func base64() throws {
        for length in 0..<40 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 37) }
            #expect(try Base64.decode(Base64.encode(bytes)) == bytes)
        }
        #expect(Base64.encode(Array("hi".utf8)) == "aGk=")
        #expect(try Base64.decode("aGk=\n") == Array("hi".utf8))
        for (text, index) in [("!!", 0), ("aGk", 0), ("aG=k", 2), ("aGk=x", 4), ("a===", 1)] {
            #expect(throws: WireError(.value, "illegal base64 data at input byte \(index)")) {
                try Base64.decode(text)
            }
        }
    }
}
