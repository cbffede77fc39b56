import Model
import Testing
import Wire

@Suite("JSON as Go reads and writes it")
struct JSONTextTests {
    private func written(_ text: String) -> String {
        var writer = JSONWriter()
        writer.string(text)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private func read(_ bytes: [UInt8]) throws -> String {
        try JSON.decode(String.self, from: [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")])
    }

    @Test("HTML characters, line separators and controls are escaped; DEL and others are not")
    func escapes() {
        #expect(written("<a>&") == #""\u003ca\u003e\u0026""#)
        #expect(written("\u{2027}\u{2028}\u{2029}\u{202A}") == "\"\u{2027}\\u2028\\u2029\u{202A}\"")
        #expect(written("\u{0}\u{8}\u{C}\n\r\t\u{1F}") == #""\u0000\u0008\u000c\n\r\t\u001f""#)
        #expect(written("\u{7F}ü😀/") == "\"\u{7F}ü😀/\"")
        #expect(written(#"a"b\c"#) == #""a\"b\\c""#)
        #expect(written("") == #""""#)
    }

    @Test("An escape is found at every offset of a long string")
    func escapesAtEveryOffset() throws {
        for length in 0..<40 {
            for position in 0...length {
                var text = [Character](repeating: "x", count: length)
                text.insert("<", at: position)
                let expected = String(text).replacing("<", with: "\\u003c")
                #expect(written(String(text)) == "\"\(expected)\"")
                let back = try JSON.decode(String.self, from: Array("\"\(expected)\"".utf8))
                #expect(back == String(text))
            }
        }
    }

    @Test("Invalid UTF-8 and lone surrogates become U+FFFD, one for each byte or escape")
    func repairs() throws {
        #expect(try read([0x61, 0xFF, 0xFE, 0x62]) == "a\u{FFFD}\u{FFFD}b")
        #expect(try read([0xE2, 0x82]) == "\u{FFFD}\u{FFFD}")
        #expect(try read([0xED, 0xA0, 0x80]) == "\u{FFFD}\u{FFFD}\u{FFFD}")
        #expect(try read([0xC0, 0x80]) == "\u{FFFD}\u{FFFD}")
        #expect(try read(Array(#"\ud800"#.utf8)) == "\u{FFFD}")
        #expect(try read(Array(#"\ud800\u0041"#.utf8)) == "\u{FFFD}A")
        #expect(try read(Array(#"\udc00x"#.utf8)) == "\u{FFFD}x")
        #expect(try read(Array(#"\ud83d\ude00"#.utf8)) == "😀")
        #expect(try read(Array("ü😀".utf8)) == "ü😀")
    }

    @Test(
        "Numbers are printed as Go prints them",
        arguments: [
            (0, "0"), (-0.0, "-0"), (1.5, "1.5"), (1e-5, "0.00001"), (1e-6, "0.000001"),
            (1e-7, "1e-7"), (1.5e30, "1.5e+30"), (1e21, "1e+21"), (1e20, "100000000000000000000"),
            (123_456_789.125, "123456789.125"), (-2.5e-9, "-2.5e-9"), (1e100, "1e+100"),
            (0x1p53, "9007199254740992"), (1.7976931348623157e308, "1.7976931348623157e+308"),
            (Double.leastNonzeroMagnitude, "5e-324"), (0.1, "0.1"), (1e16, "10000000000000000"),
            (3.25e15, "3250000000000000"),
        ]
    )
    func numbers(value: Double, text: String) {
        #expect(GoFloat.format(value) == text)
    }

    @Test("Integers at the ends of their range survive")
    func integers() throws {
        for value in [Int.min, -10, -1, 0, 9, 10, 99, 100, Int.max] {
            #expect(String(decoding: JSON.encode(value), as: UTF8.self) == String(value))
            #expect(try JSON.decode(Int.self, from: JSON.encode(value)) == value)
        }
        for value in [UInt64.max, 10_000_000_000_000_000_000, 9_999_999_999_999_999_999] {
            #expect(String(decoding: JSON.encode(value), as: UTF8.self) == String(value))
        }
        #expect(throws: WireError.self) {
            try JSON.decode(Int.self, from: Array("9223372036854775808".utf8))
        }
    }

    @Test("Keys match in any case, and two letters beyond ASCII fold as in Go")
    func keys() throws {
        let body =
            "{\"NODE\":\"a\",\"address\":\"b\",\"taggedaddre\u{17F}\u{17F}es\":{\"x\":\"y\"},"
            + "\"M\\u0065ta\":null}"
        let node = try JSON.decode(Node.self, from: Array(body.utf8), refusesUnknownKeys: true)
        #expect(node.name == "a")
        #expect(node.address == "b")
        #expect(node.taggedAddresses == ["x": "y"])
        #expect(node.meta == nil)
    }

    @Test(
        "Fields in any order, unknown keys between them, the last of two wins, null changes nothing"
    )
    func order() throws {
        let body = """
            {"ModifyIndex":3,"zz":[{"a":1}],"Node":"x","y":"\\n","ID":"1","Node":"z","Address":null}
            """
        let node = try JSON.decode(Node.self, from: Array(body.utf8))
        #expect(node.name == "z")
        #expect(node.id == "1")
        #expect(node.indexes.modify.rawValue == 3)
        #expect(node.address == "")
    }

    @Test("Opaque values keep their shape, with sorted keys and numbers as float64")
    func opaque() throws {
        let text = #"{"z":[1,-2,1.5,true,null,"x",{}],"a":9007199254740993,"b":1e2,"é":[]}"#
        let value = try JSON.parse(Array(text.utf8))
        #expect(
            String(decoding: JSON.encode(value), as: UTF8.self)
                == #"{"a":9007199254740992,"b":100,"z":[1,-2,1.5,true,null,"x",{}],"é":[]}"#
        )
    }

    @Test("Pretty text is that of Go's MarshalIndent, empty containers stay closed")
    func pretty() {
        let compact = #"{"a":[],"b":{},"c":[1,{"d":"x,{}[]:\"\\"}]}"#
        let expected = """
            {
                "a": [],
                "b": {},
                "c": [
                    1,
                    {
                        "d": "x,{}[]:\\"\\\\"
                    }
                ]
            }
            """
        #expect(String(decoding: JSON.pretty(Array(compact.utf8)), as: UTF8.self) == expected)
        #expect(JSON.pretty(Array("[]".utf8)) == Array("[]".utf8))
    }

    @Test("The writer places commas and keys by itself")
    func writer() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("a")
        writer.beginArray()
        writer.integer(-1)
        writer.raw(Array(#"{"x":1}"#.utf8))
        writer.bool(true)
        writer.endArray()
        writer.key("b<")
        writer.null()
        writer.key("c")
        writer.base64([1, 2, 3, 4])
        writer.endObject()
        let expected = #"{"a":[-1,{"x":1},true],"b\u003c":null,"c":"AQIDBA=="}"#
        #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
        #expect(writer.take() == Array(expected.utf8))
        #expect(writer.bytes.isEmpty)
    }
}
