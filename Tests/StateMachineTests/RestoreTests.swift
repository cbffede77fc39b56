import Model
import StateMachine
import StateStore
import Testing
import Wire

/// A user's archive on its way through the log.
@Suite struct RestoreTests {
    private func begin(_ number: UInt64, length: UInt64, stamp: UInt64 = 1) -> [UInt8] {
        head(.restoreBegin, request(number), stamp: stamp) + StateMachineTests.number(length)
    }

    private func chunk(
        _ number: UInt64,
        of first: UInt64,
        _ bytes: Int,
        stamp: UInt64 = 1
    ) -> [UInt8] {
        head(.restoreChunk, request(number), stamp: stamp) + StateMachineTests.number(first)
            + [UInt8](repeating: UInt8(number), count: bytes)
    }

    private func end(_ number: UInt64, of first: UInt64, stamp: UInt64 = 1) -> [UInt8] {
        head(.restoreCommit, request(number), stamp: stamp) + StateMachineTests.number(first)
    }

    @Test func `An archive comes together piece by piece`() throws {
        var subject = Subject()
        #expect(try subject.apply(begin(1, length: 10)) == "done")
        #expect(subject.machine.isRestoring)
        #expect(try subject.apply(chunk(2, of: 1, 6)) == "done")
        // Other writes go on meanwhile, and a piece that comes twice counts once.
        #expect(try subject.apply(request(3)) == "done")
        #expect(try subject.apply(chunk(2, of: 1, 6)) == "duplicate")
        #expect(try subject.apply(chunk(4, of: 1, 4)) == "done")
        #expect(try subject.apply(end(5, of: 1)) == "restore 10")
        var archived = StateStore()
        var changes = ChangeSet()
        _ = archived.apply(
            put("old", "x"),
            at: LogIndex(rawValue: 500),
            stamped: Timestamp(nanosecondsSinceEpoch: 1),
            into: &changes
        )
        subject.machine.adopt(archived, at: LogIndex(rawValue: subject.index))
        #expect(!subject.machine.isRestoring)
        #expect(subject.value("old") == "x")
        #expect(subject.value("k") == nil)
        // The registry's indexes go on behind the archive's.
        #expect(subject.machine.indexOffset == 500 - subject.index)
        #expect(try subject.apply(request(6)) == "done")
        let modified = subject.machine.store.keyValue("k").value?.indexes.modify
        #expect(modified == LogIndex(rawValue: 501))
    }

    @Test func `An archive with lower indexes does not take the registry's back`() throws {
        var subject = Subject()
        for number in UInt64(1)...20 { try subject.apply(request(number)) }
        subject.machine.adopt(StateStore(), at: LogIndex(rawValue: subject.index))
        #expect(subject.machine.indexOffset == 0)
        try subject.apply(request(21))
        let modified = subject.machine.store.keyValue("k").value?.indexes.modify
        #expect(modified == LogIndex(rawValue: 21))
    }

    @Test func `Another archive interrupts the first`() throws {
        var subject = Subject()
        try subject.apply(begin(1, length: 10))
        #expect(try subject.apply(begin(2, length: 3)) == "done")
        #expect(try subject.apply(chunk(3, of: 1, 6)) == "refused")
        #expect(try subject.apply(chunk(4, of: 2, 3)) == "done")
        #expect(try subject.apply(end(5, of: 1)) == "refused")
        #expect(try subject.apply(end(6, of: 2)) == "restore 3")
    }

    @Test func `Too many bytes, too few, and none announced are refused`() throws {
        var subject = Subject()
        try subject.apply(begin(1, length: 5))
        #expect(try subject.apply(chunk(2, of: 1, 6)) == "refused")
        #expect(!subject.machine.isRestoring)
        try subject.apply(begin(3, length: 5))
        try subject.apply(chunk(4, of: 3, 4))
        #expect(try subject.apply(end(5, of: 3)) == "refused")
        #expect(!subject.machine.isRestoring)
        #expect(try subject.apply(chunk(6, of: 3, 1)) == "refused")
        #expect(try subject.apply(end(7, of: 3)) == "refused")
        #expect(try subject.apply(head(.restoreBegin, request(8)) + [1, 2]) == "refused")
        #expect(try subject.apply(head(.restoreChunk, request(9))) == "refused")
        #expect(try subject.apply(head(.restoreCommit, request(10))) == "refused")
    }

    @Test func `An archive over the limit is refused before it comes`() throws {
        var limits = StateMachineLimits()
        limits.restoreBytes = 100
        var subject = Subject(limits: limits)
        #expect(try subject.apply(begin(1, length: 101)) == "refused")
        #expect(try subject.apply(begin(2, length: .max)) == "refused")
        #expect(!subject.machine.isRestoring)
        #expect(try subject.apply(begin(3, length: 100)) == "done")
    }

    @Test func `An unfinished archive is forgotten after a while, by the stamps`() throws {
        var limits = StateMachineLimits()
        limits.restoreTime = Nanoseconds(rawValue: 100)
        var subject = Subject(limits: limits)
        try subject.apply(begin(1, length: 5, stamp: 1000))
        #expect(try subject.apply(chunk(2, of: 1, 5, stamp: 1100)) == "done")
        #expect(subject.machine.isRestoring)
        #expect(try subject.apply(end(3, of: 1, stamp: 1101)) == "refused")
        #expect(!subject.machine.isRestoring)
    }

    @Test func `An archive that cannot be read is abandoned`() throws {
        var subject = Subject()
        try subject.apply(request(1))
        try subject.apply(begin(2, length: 0))
        #expect(try subject.apply(end(3, of: 2)) == "restore 0")
        subject.machine.abandonRestore()
        #expect(!subject.machine.isRestoring)
        #expect(subject.value("k") == "0")
    }

    @Test func `A start of the origin cannot finish what an earlier one began`() throws {
        var subject = Subject()
        try subject.apply(begin(1, length: 0))
        let other = head(.restoreCommit, request(1, start: 2)) + StateMachineTests.number(1)
        #expect(try subject.apply(other) == "refused")
    }
}

/// What a snapshot holds besides the registry.
@Suite struct RemainderTests {
    private func filled() throws -> Subject {
        var subject = Subject()
        for (number, id) in [(1, 7), (3, 7), (4, 7), (1, 9), (2, 1 << 90)] as [(UInt64, UInt128)] {
            try subject.apply(
                entry(request(number, start: 4, origin: id), put("k", "v"), stamp: 90)
            )
        }
        return subject
    }

    @Test func `It comes back as it was, and goes on the same way`() throws {
        var subject = try filled()
        let bytes = subject.machine.encodedRemainder
        let copy = StateMachine(store: subject.machine.store, remainder: bytes)
        var other = Subject(try #require(copy), index: subject.index)
        #expect(other.machine.encodedRemainder == bytes)
        #expect(other.machine.lastStamp == subject.machine.lastStamp)
        for id in [7, 9, 1 << 90, 12] as [UInt128] {
            for number in UInt64(1)...6 {
                let next = entry(request(number, start: 4, origin: id), put("k", "\(number)"))
                #expect(try subject.apply(next) == other.apply(next))
            }
        }
        #expect(other.machine.encodedRemainder == subject.machine.encodedRemainder)
    }

    @Test func `It does not depend on the order in which origins came`() throws {
        var (one, other) = (Subject(), Subject())
        try one.apply(request(1, origin: 1))
        try one.apply(request(1, origin: 2))
        try one.apply(request(2, origin: 1))
        try other.apply(request(1, origin: 5))
        #expect(one.machine.encodedRemainder != other.machine.encodedRemainder)
        var again = Subject()
        try again.apply(request(1, origin: 1))
        try again.apply(request(1, origin: 2))
        try again.apply(request(2, origin: 1))
        #expect(one.machine.encodedRemainder == again.machine.encodedRemainder)
    }

    @Test func `Truncated, longer and damaged bytes are refused or read as others`() throws {
        let subject = try filled()
        let bytes = subject.machine.encodedRemainder
        let store = subject.machine.store
        for count in 0..<bytes.count {
            #expect(StateMachine(store: store, remainder: Array(bytes.prefix(count))) == nil)
        }
        #expect(StateMachine(store: store, remainder: bytes + [0]) == nil)
        var random = Generator(seed: 1)
        for _ in 0..<3000 {
            var damaged = bytes
            damaged[Int(random.next() % UInt64(bytes.count))] = UInt8(
                truncatingIfNeeded: random.next()
            )
            guard let found = StateMachine(store: store, remainder: damaged) else { continue }
            #expect(found.encodedRemainder.count <= bytes.count)
        }
    }

    @Test func `A table over the limit and a count beyond the bytes are refused`() throws {
        let subject = try filled()
        var limits = StateMachineLimits()
        limits.origins = 2
        let bytes = subject.machine.encodedRemainder
        #expect(StateMachine(store: StateStore(), remainder: bytes, limits: limits) == nil)
        let huge = number(0) + number(0) + number(1) + number(1) + number(0) + number(1)
        let tail = number(1) + number(1) + number(.max)
        #expect(StateMachine(store: StateStore(), remainder: huge + tail) == nil)
    }
}
