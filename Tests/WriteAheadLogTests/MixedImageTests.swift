import Model
import Raft
import StorageSimulation
import Testing
import WriteAheadLog

/// Files that are each whole, but do not belong together; and what only looks like a record.
@Suite struct MixedImageTests {
    /// A log of at least two segments whose batches and votes are as given.
    private func disk(batches: [Int], vote: UInt128) throws -> SimulatedStorage {
        let disk = SimulatedStorage()
        var log = try openLog(disk)
        try log.save(DurableState(term: Term(rawValue: 1), votedFor: NodeID(rawValue: vote)))
        try log.commit()
        var index: UInt64 = 1
        for count in batches {
            for _ in 0..<count {
                try log.append(entry(index))
                index += 1
            }
            try log.commit()
        }
        return disk
    }

    /// The first segment of one log and the others of another.
    private func mix(
        _ one: SimulatedStorage,
        _ other: SimulatedStorage
    ) throws -> [String: [UInt8]] {
        let first = try #require(one.segmentNames.first)
        #expect(other.segmentNames.count == one.segmentNames.count)
        #expect(other.segmentNames.count >= 2)
        var image = other.image
        image[first] = one.image[first]
        return image
    }

    @Test func `A segment behind one of another history is refused by its state`() throws {
        let batches = [Int](repeating: 2, count: 15)
        let image = try mix(disk(batches: batches, vote: 11), disk(batches: batches, vote: 12))
        guard case .damaged(let damage) = refusal(image) else {
            Issue.record("segments of two histories were taken for one")
            return
        }
        #expect(damage.reason.contains("one of them is old"))
    }

    @Test func `A segment behind one of another history is refused by its batches`() throws {
        let one = try disk(batches: [Int](repeating: 2, count: 15), vote: 11)
        let twos = [Int](repeating: 2, count: 14)
        let other = try disk(batches: [1, 1] + twos, vote: 11)
        guard case .damaged(let damage) = refusal(try mix(one, other)) else {
            Issue.record("segments of two histories were taken for one")
            return
        }
        #expect(damage.reason.contains("one of them is old"))
    }

    @Test func `Damage at the end of a segment that others follow names that place`() throws {
        let disk = try disk(batches: [Int](repeating: 1, count: 60), vote: 11)
        let names = disk.segmentNames
        #expect(names.count >= 3)
        var lastRecord = 0
        var file = ""
        try DumpReader(disk, limits: smallLimits).read { item in
            switch item {
            case .segment(let segment): file = segment.file
            case .record(_, let offset, _, _) where file == names[1]: lastRecord = offset
            default: break
            }
            return true
        }
        var image = disk.image
        image[names[1]]?[lastRecord + 30] ^= 1
        guard case .damaged(let damage) = refusal(image) else {
            Issue.record("damage in a sealed segment was not noticed")
            return
        }
        #expect(damage.file == names[1] && damage.offset == lastRecord)
        #expect(damage.reason.contains("was begun after it"))
    }

    @Test func `A payload that holds the bytes of a record is not taken for one`() throws {
        // The bytes of a later batch, taken from a log with the same header.
        let source = SimulatedStorage()
        var log = try openLog(source)
        for index in UInt64(1)...4 {
            try log.append(entry(index))
            try log.commit()
        }
        let name = try #require(source.segmentNames.first)
        var last = (start: 0, end: 0)
        try DumpReader(source, limits: smallLimits).read { item in
            if case .record(_, let offset, _, _) = item { last = (offset, offset + 24 + 24 + 40) }
            return true
        }
        let record = Array(try #require(source.image[name])[last.start..<last.end])
        // The last batch of this log carries them, and is torn in front of them.
        let disk = SimulatedStorage()
        do {
            var log = try openLog(disk)
            var victim = entry(1)
            victim.payload = record + record
            try log.append(victim)
            try log.commit()
        }
        var image = disk.image
        var torn = 0
        try DumpReader(disk, limits: smallLimits).read { item in
            if case .record(_, let offset, _, _) = item { torn = offset }
            return true
        }
        image[name]?[torn + 26] ^= 1
        disk.image = image
        let opened = try openLog(disk)
        #expect(opened.report.removedTail?.offset == torn)
        #expect(opened.last == .zero)
    }

    @Test func `Segments before a gap, which were being deleted, go at the next start`() throws {
        let disk = try disk(batches: [Int](repeating: 2, count: 30), vote: 11)
        let before = disk.image
        do {
            disk.restart()
            var log = try openLog(disk)
            try log.compact(through: LogIndex(rawValue: 50))
            try log.commit()
        }
        let kept = disk.segmentNames
        let first = try #require(before.keys.min())
        #expect(!kept.contains(first))
        var image = disk.image
        image[first] = before[first]
        disk.image = image
        let log = try openLog(disk)
        #expect(log.base.index == LogIndex(rawValue: 50))
        #expect(!disk.segmentNames.contains(first))
    }
}
