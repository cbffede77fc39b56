import MusterBalancing

/// Writes random lists of health entries in every way JSON allows.
struct RandomEntries {
    var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    /// A list of up to four entries.
    mutating func list() -> String {
        array((0..<Int.random(in: 0...4, using: &random)).map { _ in entry() })
    }

    private mutating func entry() -> String {
        object([
            ("Node", orNull(node())), ("Service", orNull(service())),
            ("Checks", orNull(array((0..<small()).map { _ in check() }))),
        ])
    }

    private mutating func node() -> String {
        object([
            ("ID", text()), ("Node", text()), ("Address", text()), ("Datacenter", text()),
            ("TaggedAddresses", orNull(map())), ("Meta", orNull(map())),
            ("CreateIndex", index()), ("ModifyIndex", index()),
        ])
    }

    private mutating func service() -> String {
        let address = object([("Address", text()), ("Port", orNull(port()))])
        return object([
            ("ID", text()), ("Service", text()), ("Tags", orNull(strings())),
            ("Address", orNull(text())),
            ("TaggedAddresses", orNull(pick([#"{}"#, #"{"lan":\#(address)}"#]))),
            ("Meta", orNull(map())), ("Port", port()),
            ("Weights", orNull(object([("Passing", port()), ("Warning", orNull(port()))]))),
            ("EnableTagOverride", flag()), ("Proxy", value(3)), ("Connect", value(2)),
            ("CreateIndex", index()), ("ModifyIndex", index()), ("Kind", text()),
            ("ContentHash", orNull(text())), ("Datacenter", orNull(text())),
        ])
    }

    private mutating func check() -> String {
        let states = [
            #""passing""#, #""warning""#, #""critical""#, #""p\u0061ssing""#, #""odd""#, "null",
        ]
        let ids = [
            #""_node_maintenance""#, #""_service_maintenance:a""#, #""serfHealth""#,
            #""\u005fnode_maintenance""#, #""_other""#, #""""#, text(), text(), text(),
        ]
        return object([
            ("Node", text()), ("CheckID", pick(ids)), ("Name", text()), ("Status", pick(states)),
            ("Notes", text()), ("Output", text()), ("ServiceID", text()),
            ("ServiceName", text()), ("ServiceTags", orNull(strings())), ("Type", text()),
            ("Definition", value(2)), ("CreateIndex", index()), ("ModifyIndex", index()),
        ])
    }

    // MARK: Pieces

    private mutating func pick(_ choices: [String]) -> String {
        choices.randomElement(using: &random) ?? "null"
    }

    private mutating func small() -> Int { Int.random(in: 0...3, using: &random) }

    private mutating func chance(_ one: Int) -> Bool {
        Int.random(in: 0..<one, using: &random) == 0
    }

    private mutating func orNull(_ value: String) -> String { chance(12) ? "null" : value }

    private mutating func port() -> String {
        pick(["0", "80", "8080", "65535", "-1", "1e3", "2.0", "123456789012345678"])
    }

    private mutating func index() -> String { pick(["0", "17", "18446744073709551615", "1E2"]) }

    private mutating func flag() -> String { pick(["true", "false", "null"]) }

    /// A string between its quotes, from a small set so that values recur, or a new one.
    mutating func text() -> String {
        if chance(2) {
            return pick([
                #""""#, #""web""#, #""a name of more than fifteen bytes""#, #""dc1""#,
                #""ümläut – ✓ 𝄞""#,
            ])
        }
        let pieces = [
            "a", "Z", "0", " ", "/", "é", "€", "😀", #"\n"#, #"\""#, #"\\"#, #"\/"#, #"\b\f\r\t"#,
            #"\u0041"#, #"\u00e9"#, #"\u20AC"#, #"\ud83d\uDE00"#, #"\u0000"#, "\u{7F}", "abcdefgh",
        ]
        return "\""
            + (0..<Int.random(in: 0...8, using: &random)).map { _ in pick(pieces) }
            .joined() + "\""
    }

    private mutating func strings() -> String { array((0..<small()).map { _ in text() }) }

    private mutating func map() -> String {
        "{"
            + (0..<small()).map { "\"key\($0)\"" + space() + ":" + space() + text() }
            .joined(separator: ",") + "}"
    }

    private mutating func value(_ depth: Int) -> String {
        switch Int.random(in: 0...(depth > 0 ? 7 : 5), using: &random) {
        case 0: return text()
        case 1: return "null"
        case 2: return flag()
        case 3: return pick(["0", "-12", "1.5", "-0.25e-3", "12345678901234567890", "1E+2"])
        case 4: return "[]"
        case 5: return "{}"
        case 6: return array((0..<small()).map { _ in value(depth - 1) })
        default: return object((0..<small()).map { ("k\($0)", value(depth - 1)) })
        }
    }

    private mutating func array(_ elements: [String]) -> String {
        "[" + space() + elements.joined(separator: space() + "," + space()) + space() + "]"
    }

    /// An object whose members may be missing, out of order, and beside unknown ones.
    private mutating func object(_ members: [(String, String)]) -> String {
        var members = members
        if chance(3) { members = members.filter { _ in !chance(4) } }
        if chance(3) { members.shuffle(using: &random) }
        if chance(3) {
            let place = Int.random(in: 0...members.count, using: &random)
            let unknown = #"{"x":[1,{"y":"\"}]"}],"z":null}"#
            members.insert(("Unknown", pick([unknown, "17", #""]""#, "[]"])), at: place)
        }
        let parts = members.map { name, value in
            // Any letter of a name may be escaped.
            let name =
                chance(20)
                ? name.replacing("e", with: #"\u0065"#, maxReplacements: 1) : name
            return "\"\(name)\"" + space() + ":" + space() + value
        }
        return "{" + space() + parts.joined(separator: space() + "," + space()) + space() + "}"
    }

    private mutating func space() -> String {
        chance(10) ? pick([" ", "\n", "\t", "\r\n", "   "]) : ""
    }
}
