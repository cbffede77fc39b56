import MusterAPI
import MusterBalancing
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite(.timeLimit(.minutes(3))) struct HealthDecodingTests {
    private static func byFoundation(_ bytes: [UInt8]) throws -> [ServiceEntry] {
        try JSONDecoder().decode([ServiceEntry].self, from: Data(bytes))
    }

    private static func instances(_ bytes: [UInt8]) throws -> [HealthInstance] {
        var instances: [HealthInstance] = []
        try HealthEntryDecoder.decode(bytes) { instances.append($0) }
        return instances
    }

    @Test(arguments: 0..<8)
    func aRandomListIsReadAsFoundationReadsIt(_ round: Int) throws {
        for seed in 0..<150 {
            var entries = RandomEntries(seed: UInt64(round * 1000 + seed))
            let text = entries.list()
            let bytes = Array(text.utf8)
            let expected = try Self.byFoundation(bytes)
            #expect(try HealthEntryDecoder.entries(bytes) == expected, "\(text)")
            #expect(try Self.instances(bytes) == expected.map(HealthInstance.init), "\(text)")
        }
    }

    @Test(arguments: 0..<8)
    func aDamagedListIsRefusedOrReadAsFoundationReadsIt(_ round: Int) throws {
        var random = SeededRandom(seed: UInt64(9000 + round))
        for seed in 0..<400 {
            var entries = RandomEntries(seed: UInt64(round * 1000 + seed))
            var bytes = Array(entries.list().utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[place] = #"{}[]",:\u0e-"#.utf8.randomElement(using: &random) ?? 0
                case 2: bytes.remove(at: place)
                case 3: bytes.insert(bytes[place], at: place)
                default: bytes.removeSubrange(place...)
                }
            }
            expectAgreement(bytes)
        }
    }

    private func expectAgreement(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let ours = Result { try HealthEntryDecoder.entries(bytes) }
        switch (ours, Result { try Self.byFoundation(bytes) }) {
        case (.success(let ours), .success(let theirs)): #expect(ours == theirs, "\(text)")
        case (.failure, .failure): break
        case (.success, .failure(let error)):
            // Half a surrogate pair is legal JSON, which Foundation refuses.
            let rest = text.replacing(#"\ud83d\uDE00"#, with: "").lowercased()
            #expect(rest.contains(#"\ud8"#) || rest.contains(#"\ude"#), "\(error) \(text)")
        case (.failure(let error), .success):
            // Foundation does not look into the strings that it skips.
            let fault = (error as? MusterError)?.message ?? ""
            let faults = ["no such escape", "not UTF-8", "control character"]
            #expect(faults.contains { fault.contains($0) }, "\(error) \(text)")
        }
        // What is skipped is not asked for its kind, so this may succeed where the other fails.
        let instances = Result { try Self.instances(bytes) }
        if case .success(let entries) = ours {
            switch instances {
            case .success(let instances):
                #expect(instances == entries.map(HealthInstance.init), "\(text)")
            case .failure(let error): Issue.record("\(error) \(text)")
            }
        }
    }

    @Test func everyTruncatedListIsRefused() throws {
        var entries = RandomEntries(seed: 5)
        let bytes = Array(entries.list().utf8)
        #expect(try !Self.instances(bytes).isEmpty)
        for length in 0..<bytes.count {
            let part = Array(bytes[..<length])
            #expect(throws: MusterError.self) { try Self.instances(part) }
            #expect(throws: MusterError.self) { try HealthEntryDecoder.entries(part) }
        }
    }

    @Test func randomBytesNeverTrap() {
        var random = SeededRandom(seed: 77)
        let letters = Array(#"[]{}",:\u0123e+-.tfn "#.utf8) + Array("NodeServiceChecks".utf8)
        for _ in 0..<4000 {
            let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                Bool.random(using: &random)
                    ? letters.randomElement(using: &random) ?? 0
                    : UInt8.random(in: 0...255, using: &random)
            }
            expectAgreement(Array("[{".utf8) + bytes)
            expectAgreement(bytes)
        }
    }

    @Test(arguments: [
        ("", 0, "nothing"), ("  ", 2, "too early"), ("{}", 0, "an array was expected"),
        ("[1]", 1, "an object was expected"), ("[{}] x", 5, "follows"), ("[{},]", 4, "an object"),
        ("[{}", 3, "too early"), (#"[{"Node"}]"#, 8, "colon"),
        (#"[{"Node":{"Node":1}}]"#, 17, "string"),
        (#"[{"a":01}]"#, 6, "needless 0"), (#"[{"a":1.}]"#, 6, "too early"),
        (#"[{"a":-}]"#, 6, "no JSON value"), (#"[{"a":nul}]"#, 6, "no JSON value"),
        (#"[{"a":"\x"}]"#, 7, "escape"), (#"[{"a":"\u12g4"}]"#, 7, "escape"),
        ("[{\"a\":\"\n\"}]", 7, "control character"), (#"[{"a":"b}]"#, 6, "no end"),
        (#"[{"Service":{"Port":1.5}}]"#, 20, "whole"),
        (#"[{"Service":{"Port":92233720368547758080}}]"#, 20, "whole"),
    ])
    func aFaultIsNamedWithItsPlace(_ text: String, _ offset: Int, _ words: String) {
        let error = #expect(throws: MusterError.self) { try Self.instances(Array(text.utf8)) }
        #expect(error?.code == .invalidResponse)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("(at byte \(offset))") == true, "\(error?.message ?? "")")
    }

    @Test func nestingIsBoundedAndShortOfTheBoundFine() throws {
        func nested(_ depth: Int) -> [UInt8] {
            let arrays = String(repeating: "[", count: depth)
            return Array(#"[{"x":\#(arrays)\#(String(repeating: "]", count: depth))}]"#.utf8)
        }
        #expect(try Self.instances(nested(510)).count == 1)
        let error = #expect(throws: MusterError.self) { try Self.instances(nested(511)) }
        #expect(error?.message.contains("nesting") == true)
        #expect(throws: MusterError.self) { try Self.instances(nested(1_000_000)) }
    }

    @Test func halfASurrogatePairBecomesTheReplacementCharacter() throws {
        let texts = [
            #"\ud83d"#: "\u{FFFD}", #"\ude00a"#: "\u{FFFD}a", #"\ud83d\ud83d\ude00"#: "\u{FFFD}😀",
            #"\ud83d\n"#: "\u{FFFD}\n", #"\\u0041"#: #"\u0041"#,
        ]
        for (text, expected) in texts {
            let bytes = Array(#"[{"Service":{"ID":"\#(text)"}}]"#.utf8)
            #expect(try Self.instances(bytes).first?.serviceID == expected)
        }
    }

    @Test func nullIsAnEmptyListAndARepeatedMemberReplaces() throws {
        #expect(try Self.instances(Array(" null ".utf8)).isEmpty)
        #expect(try HealthEntryDecoder.entries(Array("null".utf8)).isEmpty)
        let twice =
            #"[{"Service":{"Port":1,"Port":2},"Node":null,"Checks":[{"Status":"critical"}],"#
        let bytes = Array((twice + #""Checks":[]}]"#).utf8)
        let instance = try #require(try Self.instances(bytes).first)
        #expect(instance.port == 2)
        #expect(instance.status == .passing)
    }

    @Test func whatIsAlikeIsStoredOnce() throws {
        let entry = #"{"Service":{"Tags":["a tag that is longer than fifteen bytes"]}}"#
        let bytes = Array("[\(entry),\(entry)]".utf8)
        let places = try Self.instances(bytes).map { instance in
            instance.tags.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
        }
        #expect(places.count == 2)
        #expect(Set(places).count == 1)
    }

    @Test func whatTheCallerThrowsComesThrough() {
        struct Enough: Error {}
        #expect(throws: Enough.self) {
            try HealthEntryDecoder.decode(Array("[{}]".utf8)) { _ in throw Enough() }
        }
    }
}
