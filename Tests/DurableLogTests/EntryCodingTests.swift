import DurableLog
import Model
import Raft
import StorageSimulation
import Testing
import WriteAheadLog

@Suite struct EntryCodingTests {
    private func randomConfiguration(_ random: inout SeededRandom) -> ClusterConfiguration {
        func members(_ count: Int, _ random: inout SeededRandom) -> [ClusterMember] {
            (0..<count).map { _ in
                ClusterMember(
                    id: NodeID(rawValue: UInt128(random.next()) << 64 | UInt128(random.next())),
                    role: random.chance(1, in: 3) ? .learner : .voter,
                    address: String(repeating: "ä:8", count: random.below(12))
                )
            }
        }
        return ClusterConfiguration(
            members: members(random.below(9), &random),
            outgoing: members(random.chance(1, in: 2) ? random.below(6) : 0, &random)
        )
    }

    @Test func `Every body comes back as it was`() throws {
        var random = SeededRandom(seed: 1)
        for number in UInt64(1)..<400 {
            let body: Entry.Body =
                switch number % 3 {
                case 0: .noop
                case 1: .command((0..<random.below(50)).map { _ in UInt8(random.below(256)) })
                default: .configuration(randomConfiguration(&random))
                }
            let entry = Entry(index: index(number), term: Term(rawValue: number / 7), body: body)
            #expect(try EntryCoding.decode(EntryCoding.encode(entry)) == entry)
        }
    }

    @Test func `A member's bytes are as drawn`() {
        let configuration = ClusterConfiguration(
            members: [member(2, .learner, at: "a:1"), member(1)],
            outgoing: [member(3)]
        )
        func id(_ number: UInt8) -> [UInt8] { [number] + [UInt8](repeating: 0, count: 15) }
        let bytes: [UInt8] =
            [1, 2, 0] + id(1) + [1, 0, 0] + id(2) + [0, 3, 0, 0x61, 0x3A, 0x31]
            + [1, 0] + id(3) + [1, 0, 0]
        #expect(EntryCoding.encode(configuration) == bytes)
    }

    @Test func `Truncated members are refused at every byte, and so is what follows them`() {
        var random = SeededRandom(seed: 2)
        for _ in 0..<40 {
            let bytes = EntryCoding.encode(randomConfiguration(&random))
            for count in 0..<bytes.count {
                #expect(EntryCoding.configuration(from: Array(bytes.prefix(count))) == nil)
            }
            #expect(EntryCoding.configuration(from: bytes + [0]) == nil)
        }
    }

    @Test func `Damaged members are refused or are other members, written the same way`() {
        var random = SeededRandom(seed: 3)
        for _ in 0..<4000 {
            var bytes = EntryCoding.encode(randomConfiguration(&random))
            for _ in 0...random.below(3) {
                bytes[random.below(bytes.count)] = UInt8(random.below(256))
            }
            guard let found = EntryCoding.configuration(from: bytes) else { continue }
            #expect(EntryCoding.encode(found) == bytes)
        }
    }

    @Test func `Members out of order or twice are refused`() {
        let one = EntryCoding.encode(ClusterConfiguration(members: [member(1), member(2)]))
        var swapped = one
        swapped[3] = 2
        swapped[22] = 1
        #expect(EntryCoding.configuration(from: swapped) == nil)
        var doubled = one
        doubled[22] = 1
        #expect(EntryCoding.configuration(from: doubled) == nil)
    }

    @Test func `An unknown type or a format of a later version is named`() {
        let later = LogEntry(index: index(5), term: Term(rawValue: 1), type: 9, payload: [])
        let error = failure { () throws(DurableLogError) in _ = try EntryCoding.decode(later) }
        #expect(error == .unreadableEntry(index(5), type: 9))
        #expect(error?.message.contains("entry 5 of the log has type 9") == true)
        let format = LogEntry(
            index: index(6),
            term: Term(rawValue: 1),
            type: 2,
            payload: [2, 0, 0]
        )
        #expect(
            failure { () throws(DurableLogError) in _ = try EntryCoding.decode(format) }
                == .unreadableEntry(index(6), type: 2)
        )
        let noop = LogEntry(index: index(7), term: Term(rawValue: 1), type: 0, payload: [1])
        #expect(
            failure { () throws(DurableLogError) in _ = try EntryCoding.decode(noop) }
                == .unreadableEntry(index(7), type: 0)
        )
    }
}
