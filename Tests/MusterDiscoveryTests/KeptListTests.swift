import MusterBalancing
import Testing

@testable import MusterDiscovery

/// The file of a kept list: what is written is read, and nothing else is.
@Suite struct KeptListTests {
    private func example() throws -> KeptList {
        let full = Instance(
            id: InstanceID(node: "n1", serviceID: "web-1"),
            endpoint: try #require(ServiceEndpoint(host: "2001:db8::1", port: 8080)),
            weight: .max,
            health: .warning,
            tags: ["v2", "", "übung"],
            meta: ["zone": "a", "b": ""],
            datacenter: "dc1",
            zone: "a"
        )
        let named = Instance(
            id: InstanceID(node: "n2", serviceID: "web-2"),
            endpoint: try #require(ServiceEndpoint(host: "db.local", port: 0)),
            weight: 0
        )
        return KeptList(
            key: "|web||zone=zone",
            confirmed: .seconds(1_800_000_000),
            index: .max,
            instances: [full, named]
        )
    }

    private func refusal(_ bytes: [UInt8], key: String? = nil) throws -> KeptList.Refusal? {
        let key = try key ?? example().key
        do {
            _ = try KeptList(bytes: bytes, key: key)
            return nil
        } catch {
            return error
        }
    }

    @Test func whatIsWrittenIsRead() throws {
        let list = try example()
        let read = try KeptList(bytes: list.bytes, key: list.key)
        #expect(read == list)
        let empty = KeptList(key: "k", confirmed: .zero, index: 0, instances: [])
        let readEmpty = try KeptList(bytes: empty.bytes, key: "k")
        #expect(readEmpty == empty)
    }

    @Test func theLayoutIsTheDocumentedOne() throws {
        let bytes = KeptList(key: "k", confirmed: .seconds(258), index: 3, instances: []).bytes
        #expect(Array(bytes[..<16]) == Array("MUSTERSN".utf8) + [0, 1, 0, 0, 0, 0, 0, 25])
        #expect(
            Array(bytes[24...])
                == [0, 0, 0, 1, 0x6b] + [0, 0, 0, 0, 0, 0, 1, 2] + [0, 0, 0, 0, 0, 0, 0, 3]
                + [0, 0, 0, 0]
        )
    }

    @Test func everyChangedByteIsNoticed() throws {
        let bytes = try example().bytes
        for position in bytes.indices {
            for change in [UInt8(1), 0x80, 0xff] {
                var changed = bytes
                changed[position] ^= change
                #expect(try refusal(changed) != nil, "byte \(position)")
            }
        }
    }

    @Test func aFileCutAnywhereOrTooLongIsRefused() throws {
        let bytes = try example().bytes
        for length in 0..<bytes.count {
            #expect(try refusal(Array(bytes[..<length])) != nil)
        }
        let longer = try refusal(bytes + [0])
        #expect(longer != nil)
    }

    @Test func aNewerVersionIsRefusedByName() throws {
        var bytes = try example().bytes
        bytes[9] = 2
        #expect(try refusal(bytes) == .newerVersion(2))
        #expect("\(KeptList.Refusal.newerVersion(2))".contains("newer"))
    }

    @Test func anotherQuerysFileIsRefused() throws {
        let foreign = try refusal(try example().bytes, key: "|other||zone=zone")
        #expect(foreign == .foreign)
    }

    @Test func randomBytesWithARightChecksumNeverTrap() throws {
        var random = SeededRandom(seed: 11)
        for _ in 0..<3000 {
            var payload = (0..<Int.random(in: 0..<120, using: &random)).map { _ in
                // Small numbers make lengths that fit: they lead deeper into the reader.
                UInt8.random(in: 0...(Bool.random(using: &random) ? 3 : 255), using: &random)
            }
            payload = [0, 0, 0, 1, 0x6b] + payload
            let length = UInt32(payload.count)
            let stated: [UInt8] =
                [0, 1, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) }
            let checksum = StableHash.of(stated + payload)
            let bytes =
                Array("MUSTERSN".utf8) + stated
                + (0..<8).map { UInt8(truncatingIfNeeded: checksum >> (56 - 8 * $0)) } + payload
            if let refusal = try refusal(bytes, key: "k") {
                #expect(refusal != .foreign)
            }
        }
    }
}
