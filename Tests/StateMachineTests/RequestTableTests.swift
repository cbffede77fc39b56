import Model
import StateMachine
import StateStore
import Testing
import Wire

@Suite struct RequestTableTests {
    @Test func `A request takes effect once`() throws {
        var subject = Subject()
        #expect(try subject.apply(request(1)) == "done")
        #expect(try subject.apply(request(1)) == "duplicate")
        #expect(try subject.apply(request(2)) == "done")
        #expect(try subject.apply(request(1)) == "duplicate")
        #expect(subject.value("k") == "2")
    }

    @Test func `Requests in any order take effect once each`() throws {
        for order in [[3, 1, 2], [2, 3, 1], [3, 2, 1], [1, 3, 2]] as [[UInt64]] {
            var subject = Subject()
            for number in order { #expect(try subject.apply(request(number)) == "done") }
            for number in order { #expect(try subject.apply(request(number)) == "duplicate") }
        }
    }

    @Test func `A request below the floor is void`() throws {
        var subject = Subject()
        #expect(try subject.apply(request(9), resolved: 7) == "done")
        #expect(try subject.apply(request(6)) == "duplicate")
        #expect(try subject.apply(request(7)) == "done")
        #expect(try subject.apply(request(8)) == "done")
        #expect(try subject.apply(request(9)) == "duplicate")
    }

    @Test func `The floor closes gaps and what was done above it stays done`() throws {
        var subject = Subject()
        for number in [5, 6, 9] as [UInt64] { try subject.apply(request(number)) }
        #expect(try subject.apply(request(12), resolved: 5) == "done")
        for number in [1, 4, 5, 6, 9, 12] as [UInt64] {
            #expect(try subject.apply(request(number)) == "duplicate", "\(number)")
        }
        for number in [7, 8, 10, 11] as [UInt64] {
            #expect(try subject.apply(request(number)) == "done", "\(number)")
        }
    }

    @Test func `A floor that goes back changes nothing`() throws {
        var subject = Subject()
        try subject.apply(request(9), resolved: 9)
        try subject.apply(request(10), resolved: 2)
        #expect(try subject.apply(request(3)) == "duplicate")
    }

    @Test func `A duplicate moves the floor too`() throws {
        var subject = Subject()
        try subject.apply(request(5))
        #expect(try subject.apply(request(5), resolved: 5) == "duplicate")
        #expect(try subject.apply(request(4)) == "duplicate")
    }

    @Test func `Each start numbers its requests anew`() throws {
        var subject = Subject()
        try subject.apply(request(1, start: 9))
        #expect(try subject.apply(request(1, start: 2)) == "done")
        #expect(try subject.apply(request(2, start: 9)) == "done")
        #expect(try subject.apply(request(1, start: 9)) == "duplicate")
        #expect(try subject.apply(request(1, start: 2)) == "duplicate")
        #expect(try subject.apply(request(2, start: 2)) == "done")
    }

    @Test func `Origins do not meddle with one another`() throws {
        var subject = Subject()
        #expect(try subject.apply(request(1, origin: 1)) == "done")
        #expect(try subject.apply(request(1, origin: 1 << 64)) == "done")
        #expect(try subject.apply(request(1, origin: 1)) == "duplicate")
    }

    @Test func `A full table forgets the origin that was silent for longest`() throws {
        var limits = StateMachineLimits()
        limits.origins = 2
        var subject = Subject(limits: limits)
        try subject.apply(request(1, origin: 1))
        try subject.apply(request(1, origin: 2))
        // Heard of again, if only by a duplicate.
        try subject.apply(request(1, origin: 1))
        try subject.apply(request(1, origin: 3))
        #expect(try subject.apply(request(1, origin: 1)) == "duplicate")
        #expect(try subject.apply(request(1, origin: 2)) == "done")
    }

    @Test func `The same requests through the table and straight give the same registry`() throws {
        var subject = Subject()
        var plain = StateStore()
        var random = Generator(seed: 5)
        var sent: [(RequestID, Command)] = []
        for number in UInt64(1)...300 {
            let key = "k\(random.next() % 7)"
            sent.append((request(number), put(key, "v\(number)")))
        }
        var applied: Set<UInt64> = []
        for _ in 0..<2000 {
            let (id, command) = sent[Int(random.next() % 300)]
            let outcome = try subject.apply(entry(id, command, stamp: subject.index))
            #expect((outcome == "done") == applied.insert(id.number).inserted)
            guard outcome == "done" else { continue }
            var changes = ChangeSet()
            let stamp = Timestamp(nanosecondsSinceEpoch: subject.index - 1)
            let index = LogIndex(rawValue: subject.index)
            _ = plain.apply(command, at: index, stamped: stamp, into: &changes)
        }
        let ours = subject.machine.store.keyValues(prefix: "").value.map(\.entry)
        #expect(ours == plain.keyValues(prefix: "").value.map(\.entry))
        #expect(ours.count == 7)
    }
}

/// The same numbers for the same seed.
struct Generator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// - Source: SplitMix64, Steele, Lea, Flood 2014.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
