import Model
import Testing
import Wire

/// The bytes of a hexadecimal text.
func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map {
        UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
}

@Suite("MessagePack in the profile of Consul")
struct MessagePackTests {
    private func reading<Value>(
        _ hexadecimal: String,
        _ read: (inout MessagePackReader) throws -> Value
    ) throws -> Value {
        try bytes(hexadecimal).withUnsafeBufferPointer { buffer in
            var reader = MessagePackReader(buffer)
            return try read(&reader)
        }
    }

    @Test("Times are Go's binary form, captured from Consul")
    func times() throws {
        let captured = "af010000000ee292cad92b99379affff"
        let moment = try reading(captured) { try $0.time() }
        var writer = MessagePackWriter()
        writer.time(nanosecondsSinceEpoch: moment)
        #expect(writer.bytes == bytes(captured))

        let local = try reading("af010000000ee292cb81279036b70000") { try $0.time() }
        #expect(local != nil)

        let zero = "af01000000000000000000000000ffff"
        #expect(try reading(zero) { try $0.time() } == nil)
        var zeroWriter = MessagePackWriter()
        zeroWriter.time(nanosecondsSinceEpoch: nil)
        #expect(zeroWriter.bytes == bytes(zero))
    }

    @Test("A string of 31 bytes is fixraw, one of 32 is raw16")
    func strings() throws {
        let short = String(repeating: "x", count: 31)
        let long = String(repeating: "x", count: 32)
        #expect(MessagePack.encode(short) == [0xBF] + Array(short.utf8))
        #expect(MessagePack.encode(long) == [0xDA, 0, 32] + Array(long.utf8))
        let huge = String(repeating: "x", count: 70_000)
        #expect(MessagePack.encode(huge).prefix(5) == [0xDB, 0, 1, 0x11, 0x70])
        #expect(try MessagePack.decode(String.self, from: MessagePack.encode(huge)) == huge)
    }

    @Test("str8 is a string, bin8 is bytes but never a string")
    func peerForms() throws {
        let str8 = "d928" + String(repeating: "6b", count: 40)
        #expect(
            try MessagePack.decode(String.self, from: bytes(str8))
                == String(repeating: "k", count: 40)
        )
        #expect(
            try MessagePack.decode(WireBytes.self, from: bytes("c403010203")).bytes == [1, 2, 3]
        )
        #expect(throws: WireError.self) {
            try MessagePack.decode(String.self, from: bytes("c40161"))
        }
    }

    @Test("Integers take their shortest form and are read from any that fits")
    func integers() throws {
        let forms: [(Int64, String)] = [
            (0, "00"), (127, "7f"), (128, "cc80"), (255, "ccff"), (256, "cd0100"),
            (65_535, "cdffff"), (65_536, "ce00010000"), (4_294_967_296, "cf0000000100000000"),
            (15_000_000_000, "cf000000037e11d600"), (-1, "ff"), (-32, "e0"), (-33, "d0df"),
            (-129, "d1ff7f"), (-32_769, "d2ffff7fff"), (Int64.min, "d38000000000000000"),
        ]
        for (value, form) in forms {
            #expect(MessagePack.encode(Int(value)) == bytes(form))
            #expect(try MessagePack.decode(Int.self, from: bytes(form)) == Int(value))
        }
        #expect(try MessagePack.decode(UInt64.self, from: bytes("cfffffffffffffffff")) == .max)
        #expect(try MessagePack.decode(UInt64.self, from: bytes("d3000000000000000a")) == 10)
        #expect(throws: WireError.self) { try MessagePack.decode(UInt64.self, from: bytes("ff")) }
        #expect(throws: WireError.self) {
            try MessagePack.decode(Int.self, from: bytes("cfffffffffffffffff"))
        }
    }

    @Test("Empty and absent collections stay apart; no bytes are nil")
    func empties() throws {
        #expect(MessagePack.encode([String]?.none) == [0xC0])
        #expect(MessagePack.encode([String]()) == [0x90])
        #expect(MessagePack.encode([String: String]()) == [0x80])
        #expect(MessagePack.encode(WireBytes([])) == [0xC0])
        #expect(try MessagePack.decode([String]?.self, from: [0x90]) == [])
        #expect(try MessagePack.decode([String]?.self, from: [0xC0]) == .some(nil))
    }

    @Test("A key of the snapshot, captured from Consul, has the same bytes")
    func capturedKey() throws {
        let captured = bytes(
            """
            87ab437265617465496e64657812a5466c6167732aa34b6579a3666f6fa94c6f636b496e64657800
            ab4d6f64696679496e64657812a753657373696f6ea0a556616c7565a500ff626172
            """
        )
        let entry = try MessagePack.decode(KeyValueEntry.self, from: captured)
        #expect(entry.key == "foo")
        #expect(entry.value == [0, 0xFF] + Array("bar".utf8))
        #expect(entry.flags == 42)
        #expect(entry.indexes.create == LogIndex(rawValue: 18))
        #expect(MessagePack.encode(entry) == captured)
    }

    @Test("A sparse registration, accepted by Consul, leaves the rest at zero")
    func sparse() throws {
        let body = bytes(
            """
            85aa4461746163656e746572a3646331a44e6f6465a26e31a741646472657373a831302e312e312e31
            a75365727669636585a24944a477656231a753657276696365a3776562a45461677391a161a4506f7274
            50a44d65746181a16ba176a5436865636b85a44e6f6465a26e31a7436865636b4944a363686b
            a44e616d65a163a6537461747573a770617373696e67a9536572766963654944a477656231
            """
        )
        let command = try MessagePack.decode(RegisterRequest.self, from: body).command
        #expect(command.datacenter == "dc1")
        #expect(command.node.name == "n1")
        #expect(command.node.address == "10.1.1.1")
        #expect(command.service?.name == "web")
        #expect(command.service?.tags == ["a"])
        #expect(command.service?.port == 80)
        #expect(command.service?.meta == ["k": "v"])
        #expect(command.service?.weights == nil)
        #expect(command.checks.count == 1)
        #expect(command.checks.first?.status == .passing)
        #expect(command.checks.first?.serviceID == "web1")
    }

    @Test("Keys are sorted by their bytes, and all fields are there")
    func sortedKeys() throws {
        let node = try MessagePack.decode(JSONValue.self, from: MessagePack.encode(Node()))
        guard case .object(let fields) = node else {
            Issue.record("not a map")
            return
        }
        #expect(fields.count == 8)
        #expect(
            MessagePack.encode(Node())
                == bytes("88")
                + [
                    ("Address", "a0"), ("CreateIndex", "00"), ("Datacenter", "a0"), ("ID", "a0"),
                    ("Meta", "c0"), ("ModifyIndex", "00"), ("Node", "a0"),
                    ("TaggedAddresses", "c0"),
                ].flatMap { MessagePack.encode($0.0) + bytes($0.1) }
        )
        let definition = MessagePack.encode(HealthCheckDefinition())
        #expect(definition.prefix(3) == [0xDE, 0, 18])
    }

    @Test("Lengths beyond the input are refused before anything is reserved")
    func lengths() {
        for form in ["dfffffffff", "ddffffffff", "dbffffffff", "c6ffffffff", "81a1", "9f", "bf"] {
            #expect(throws: WireError.self) {
                try MessagePack.decode(JSONValue.self, from: bytes(form))
            }
        }
        let deep = [UInt8](repeating: 0x91, count: 10_000)
        #expect(throws: WireError(.limit, "msgpack: nested too deep")) {
            try MessagePack.decode(JSONValue.self, from: deep)
        }
    }
}
