import Model
import RandomSupport
import Testing
import Wire

@Suite("JSON that becomes MessagePack without a value in between")
struct TranscriptionTests {
    /// The MessagePack of a text; nil where it is refused.
    private func transcribed(_ text: [UInt8]) -> [UInt8]? {
        var writer = MessagePackWriter()
        writer.byte(7)
        // Memory of exactly its size, so that a read behind its end can be noticed.
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 1)
        defer { memory.deallocate() }
        memory.copyBytes(from: text)
        guard writer.transcribe(UnsafeRawBufferPointer(memory)) else {
            #expect(writer.bytes == [7], "something was left behind")
            return nil
        }
        return Array(writer.bytes.dropFirst())
    }

    private func transcribed(_ text: String) -> [UInt8]? {
        transcribed(Array(text.utf8))
    }

    /// A value whose integers are floating point, as both forms keep large ones differently.
    private func plain(_ value: JSONValue) -> JSONValue {
        switch value {
        case .integer(let number): .double(Double(number))
        case .array(let values): .array(values.map(plain))
        case .object(let values): .object(values.mapValues(plain))
        case .null, .bool, .double, .string: value
        }
    }

    /// Refused, or the value that the reader finds in the text.
    @discardableResult
    private func judge(_ text: [UInt8]) -> Bool {
        guard let bytes = transcribed(text) else { return false }
        let shown = String(decoding: text, as: UTF8.self)
        do {
            let expected = plain(try JSON.parse(text))
            #expect(plain(try MessagePack.decode(JSONValue.self, from: bytes[...])) == expected)
        } catch {
            Issue.record("\(shown) was taken, but \(error)")
        }
        return true
    }

    @Test(
        "Values are the bytes of the decoded value",
        arguments: [
            "null", "true", "false", "0", "1", "-1", "127", "128", "-32", "-33", "-129", "65536",
            #""""#, #""abc""#, #""ü 日本 🦫""#, #""\"\\\n\u003c""#, "[]",
            "{}", #"["a",null,true,false,-5]"#, #"{"a":{"b":["c"]},"ü":"","日":{}}"#,
            #"{"\u0026":1,"\u003c\"":2}"#, "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14]",
            #"{"Passing":1,"Warning":-3}"#,
        ]
    )
    func values(text: String) throws {
        let value = try JSON.parse(Array(text.utf8))
        #expect(transcribed(text) == MessagePack.encode(value))
    }

    @Test("Numbers that floating point would round are kept")
    func largest() {
        #expect(transcribed("18446744073709551615") == MessagePack.encode(UInt64.max))
        #expect(transcribed("-9223372036854775807") == MessagePack.encode(-Int.max))
        #expect(transcribed("9007199254740993") == MessagePack.encode(9_007_199_254_740_993))
    }

    @Test(
        "What needs more care and what is malformed is refused",
        arguments: [
            "", " ", "nul", "nulx", "trux", "tru", "falsy", "fals", "n", "t", "f", "nullx", "xnull",
            "1.5", "1e3", "1E3", "-", "--1", "01", "-01", "00", "+1", "18446744073709551616",
            "-9223372036854775809", "\"", "\"a", #""\"#, #""\""#, #""\x""#, #""\u12""#, "\"\n\"",
            "[", "[1", "[1,", "[1,]", "[,1]", "[1 ]", "[1}", "]", "{", "{}x", #"{"a""#, #"{"a":"#,
            #"{"a":1"#, #"{"a":1,"#, #"{"a":1,}"#, "{1:2}", #"{"a",1}"#, #"{"a":1]"#, "[nulx]",
            "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]", "[tru]", "[nul", "\u{0}",
            String(repeating: "[", count: 5000), String(repeating: #"{"a":"#, count: 5000),
        ]
    )
    func refused(text: String) {
        #expect(transcribed(text) == nil)
    }

    @Test("Invalid UTF-8 is replaced as by the reader")
    func invalidText() {
        for byte: UInt8 in [0x80, 0xC3, 0xE2, 0xF0, 0xFF] {
            let text = [0x22, 0x61, byte, 0x22]
            #expect(transcribed(text) == MessagePack.encode("a\u{FFFD}"))
            judge([0x7B] + text + [0x3A, 0x31, 0x7D])
        }
    }

    private static let sources: [[UInt8]] = [
        #"{"a":["b\n",null,true,false,-12,{"ü":"\u003c"}],"c":{},"d":[[]],"e":"日本"}"#,
        #"["v1","primary \"x\"",1234567,{"Passing":1,"Warning":0}]"#,
        #""only a text with \\ and \u2028 and ü""#, "-1234567890", "[null,false,true]",
    ].map { Array($0.utf8) }

    @Test("Every truncation is refused or right")
    func truncated() {
        for source in Self.sources {
            #expect(judge(source))
            for length in source.indices { judge(Array(source[..<length])) }
        }
    }

    @Test("Damaged text is refused or right", arguments: 1...4)
    func damaged(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let telling = Array(#"{}[]",:\ntfule0123-.E "#.utf8) + [0, 0x0A, 0x80, 0xC3, 0xFF]
        var taken = 0
        for _ in 0..<4000 {
            var text = Self.sources.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: text.indices, using: &random)
                text[place] = telling.randomElement(using: &random) ?? 0
            }
            if judge(text) { taken += 1 }
        }
        #expect(taken > 0)
    }

    @Test("Random text is refused or right", arguments: 1...4)
    func random(seed: UInt64) {
        var random = SeededGenerator(seed: seed &* 31)
        let pieces = [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "null", "true", "false", "1", "-", "0",
            "\"a\"",
            "\"a\":", "\"b\":", ".", "e", "n", " ", "\n", "ü", #"\u00"#,
        ].map { Array($0.utf8) }
        for _ in 0..<8000 {
            var text: [UInt8] = []
            for _ in 0..<Int.random(in: 0...9, using: &random) {
                text += pieces.randomElement(using: &random) ?? []
            }
            judge(text)
            judge((0..<8).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
    }
}

@Suite("Fields of prepared JSON")
struct JSONFieldsTests {
    /// The values of the fields `a`, `b` and `c`, taken in this order as far as they are there.
    private func fields(_ text: [UInt8]) -> (values: [String?], isAtEnd: Bool)? {
        text.withUnsafeBytes { memory in
            guard var fields = JSONFields(memory) else { return nil }
            let names: [StaticString] = ["a", "b", "c"]
            let values = names.map { name in
                fields.next(name).map { String(decoding: $0, as: UTF8.self) }
            }
            return (values, fields.isAtEnd)
        }
    }

    @Test("Fields are taken in their order, and only by their names")
    func order() throws {
        let all = try #require(fields(Array(#"{"a":"},]\"","b":{"x":[1,{}]},"c":-1}"#.utf8)))
        #expect(all.values == [#""},]\"""#, #"{"x":[1,{}]}"#, "-1"])
        #expect(all.isAtEnd)
        let some = try #require(fields(Array(#"{"b":null}"#.utf8)))
        #expect(some.values == [nil, "null", nil])
        #expect(some.isAtEnd)
        let other = try #require(fields(Array(#"{"a":1,"z":2,"b":3}"#.utf8)))
        #expect(other.values == ["1", nil, nil])
        #expect(!other.isAtEnd)
        let none = try #require(fields(Array("{}".utf8)))
        #expect(none.values == [nil, nil, nil] && none.isAtEnd)
    }

    @Test("What is not one whole object never reaches its end")
    func malformed() {
        let whole = Array(#"{"a":"x\"y","b":{"x":[1]},"c":-1}"#.utf8)
        #expect(fields(whole)?.isAtEnd == true)
        for length in 0..<whole.count {
            #expect(fields(Array(whole[..<length]))?.isAtEnd != true, "\(length)")
        }
        for text in [
            "", "{", "}", "[]", #"{"a":1]"#, #"{"a":1}"b":2}"#, #"{"a":1,"#, #"{"a":"}"#, #"{"a}"#,
            #"{"a":1],"b":2}"#, #"{"ab":1}"#, #"{"a" :1}"#, #"{"a":"\"}"#, #"{"a":[1}"#,
        ] {
            #expect(fields(Array(text.utf8))?.isAtEnd != true, "\(text)")
        }
    }

    @Test("Random bytes never trap", arguments: 1...4)
    func random(seed: UInt64) {
        var random = SeededGenerator(seed: seed &* 77)
        let telling = Array(#"{}[]",:\abc1"#.utf8)
        for _ in 0..<8000 {
            var text = Array(#"{"a":"x\"y","b":{"x":[1]},"c":-1}"#.utf8)
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                let place = Int.random(in: text.indices, using: &random)
                text[place] = telling.randomElement(using: &random) ?? 0
            }
            if let (values, isAtEnd) = fields(text), isAtEnd {
                #expect(values.contains { $0 != nil })
            }
        }
    }
}
