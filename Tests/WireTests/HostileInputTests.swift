import Model
import RandomSupport
import Testing
import Wire

@Suite("Hostile input")
struct HostileInputTests {
    private static let bodies: [[UInt8]] = [
        PeerReplies.healthServiceProxy, PeerReplies.healthService, PeerReplies.sessions,
        #"[{"KV":{"Verb":"set","Key":"k\u00e9\ud83d\ude00","Value":"aGk=","Flags":3}}]"#,
        #"{"Name":"ü","Check":{"TTL":"1m30s","Header":{"a":["b"]}},"Port":-1.5e3,"Meta":null}"#,
    ].map { Array($0.utf8) }

    private static let packed: [[UInt8]] = SampleCommands.all.flatMap { command in
        [true, false].map { canonical in
            var output: [UInt8] = []
            CommandCoding.encode(command, canonical: canonical, into: &output)
            return output
        }
    }

    /// Runs a decoder for its crashes; that it refuses is what is expected.
    private func provoke(_ decode: () throws -> Void) {
        do { try decode() } catch is WireError {} catch { Issue.record(error) }
    }

    /// Reads `input` as everything that comes from outside.
    private func readJSON(_ input: [UInt8]) {
        func read<Record: WireValue>(_ type: Record.Type) {
            for strict in [true, false] {
                provoke { _ = try JSON.decode(type, from: input, refusesUnknownKeys: strict) }
            }
        }
        read(RegisterRequest.self)
        read([JSONValue].self)
        read(ServiceRegistration.self)
        read(TransactionBody.self)
        read([ServiceNode].self)
        read(SessionBody.self)
        provoke {
            let text = JSON.encode(try JSON.parse(input))
            #expect(throws: Never.self) { try JSON.parse(text) }
            _ = JSON.pretty(text)
        }
        _ = JSON.pretty(input)
    }

    private func readPack(_ input: [UInt8]) {
        provoke {
            guard let command = try CommandCoding.decode(input) else { return }
            var output: [UInt8] = []
            CommandCoding.encode(command, into: &output)
            #expect(throws: Never.self) { try CommandCoding.decode(output) }
        }
        provoke { _ = try MessagePack.decode(JSONValue.self, from: input.dropFirst()) }
        input.withUnsafeBufferPointer { buffer in
            provoke {
                var reader = MessagePackReader(buffer)
                _ = try reader.time()
            }
        }
    }

    @Test("Every truncation of JSON bodies is refused or read, never trapped on")
    func truncatedJSON() {
        for body in Self.bodies {
            for length in 0..<body.count { readJSON(Array(body[..<length])) }
        }
    }

    @Test("Every truncation of commands is refused")
    func truncatedCommands() {
        for command in Self.packed {
            for length in 0..<command.count {
                #expect(throws: WireError.self) {
                    try CommandCoding.decode(Array(command[..<length]))
                }
            }
        }
    }

    @Test("Flipped and random bytes are never trapped on", arguments: [1, 2, 3] as [UInt64])
    func damaged(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<1_500 {
            for (samples, isJSON) in [(Self.bodies, true), (Self.packed, false)] {
                guard var input = samples.randomElement(using: &generator) else { continue }
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let index = Int.random(in: 0..<input.count, using: &generator)
                    input[index] = UInt8.random(in: 0...255, using: &generator)
                }
                isJSON ? readJSON(input) : readPack(input)
            }
            let length = Int.random(in: 0..<64, using: &generator)
            let noise = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            readPack(noise)
            let alphabet = Array(#"{}[]",:\u0123eE+-.tfn "#.utf8)
            readJSON(noise.map { alphabet[Int($0) % alphabet.count] })
        }
    }

    @Test("Random texts survive both formats", arguments: [11, 12] as [UInt64])
    func randomTexts(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let length = Int.random(in: 0..<40, using: &generator)
            var text = ""
            for _ in 0..<length {
                let range: ClosedRange<UInt32> =
                    Bool.random(using: &generator) ? 0...0x7F : 0...0x10FFFF
                let value = UInt32.random(in: range, using: &generator)
                text.unicodeScalars.append(Unicode.Scalar(value) ?? "\u{2028}")
            }
            let json = try JSON.decode(String.self, from: JSON.encode(text))
            #expect(json.utf8.elementsEqual(text.utf8))
            let packed = try MessagePack.decode(String.self, from: MessagePack.encode(text))
            #expect(packed.utf8.elementsEqual(text.utf8))
        }
    }
}
