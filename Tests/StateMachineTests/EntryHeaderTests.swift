import Model
import StateMachine
import StateStore
import Testing
import Wire

@Suite struct EntryHeaderTests {
    @Test func `A head comes back as it was`() {
        for kind in [EntryKind.command, .restoreBegin, .restoreChunk, .restoreCommit] {
            let header = EntryHeader(
                kind: kind,
                stamp: Timestamp(nanosecondsSinceEpoch: 0x1122_3344_5566_7788),
                request: request(.max, start: 1 << 60, origin: .max - 5),
                resolved: 77
            )
            var bytes = [UInt8](repeating: 9, count: EntryHeader.sizeBytes + 3)
            header.write(over: &bytes)
            #expect(EntryHeader(bytes) == header)
            #expect(bytes.suffix(3) == [9, 9, 9])
        }
    }

    @Test func `A head's bytes are as drawn`() {
        var bytes = head(.restoreChunk, request(5, start: 3), resolved: 4, stamp: 258)
        #expect(bytes.count == 49)
        #expect(Array(bytes[0..<9]) == [2, 2, 1, 0, 0, 0, 0, 0, 0])
        #expect(
            Array(bytes[9..<25])
                == [
                    0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x00, 0xEF, 0xCD, 0xAB, 0x89, 0x67,
                    0x45, 0x23, 0x01,
                ]
        )
        #expect(Array(bytes[25..<49]) == number(3) + number(5) + number(4))
        EntryHeader.restamp(&bytes, Timestamp(nanosecondsSinceEpoch: 7))
        #expect(EntryHeader(bytes)?.stamp == Timestamp(nanosecondsSinceEpoch: 7))
        #expect(EntryHeader(bytes)?.request == request(5, start: 3))
    }

    @Test func `A truncated head is none, and an unknown kind neither`() {
        let bytes = head(.command, request(1))
        for count in 0..<bytes.count { #expect(EntryHeader(Array(bytes.prefix(count))) == nil) }
        var unknown = bytes
        unknown[0] = 4
        #expect(EntryHeader(unknown) == nil)
        var short = Array(bytes.prefix(20))
        EntryHeader.restamp(&short, Timestamp(nanosecondsSinceEpoch: 9))
        #expect(short == Array(bytes.prefix(20)))
    }

    @Test func `An entry that cannot be read is an error, not passed over`() {
        let good = entry(request(1), put("a", "b"))
        for count in 0..<good.count {
            var subject = Subject()
            #expect(throws: WireError.self) { try subject.apply(Array(good.prefix(count))) }
        }
        var subject = Subject()
        #expect(throws: WireError.self) { try subject.apply(head(.command, request(1)) + [99]) }
    }

    @Test func `A command of a later version that may be passed over is`() throws {
        var subject = Subject()
        #expect(try subject.apply(head(.command, request(1)) + [0x80 | 99, 0x80]) == "ignored")
        #expect(try subject.apply(request(2)) == "done")
    }

    @Test func `Stamps never go back`() throws {
        var subject = Subject()
        try subject.apply(entry(request(1), put("a", "1"), stamp: 50))
        try subject.apply(entry(request(2), put("a", "2"), stamp: 20))
        #expect(subject.machine.lastStamp == Timestamp(nanosecondsSinceEpoch: 50))
    }
}
