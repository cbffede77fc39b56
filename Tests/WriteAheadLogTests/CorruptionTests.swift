import Model
import Raft
import StorageSimulation
import Testing
import WriteAheadLog

/// Why opening this disk is refused; nil when it is not.
func refusal(
    _ image: [String: [UInt8]],
    identity owner: LogIdentity = identity
) -> WriteAheadLogError? {
    let disk = SimulatedStorage()
    disk.image = image
    do throws(WriteAheadLogError) {
        _ = try WriteAheadLog.open(disk, identity: owner, limits: smallLimits)
        return nil
    } catch {
        #expect(disk.image == image, "a refused log was changed")
        #expect(disk.openFiles == 0)
        return error
    }
}

/// A log of several segments on a disk; the last batch is behind a synced one.
func writtenDisk(entries: UInt64 = 60) throws -> SimulatedStorage {
    let disk = SimulatedStorage()
    var log = try openLog(disk)
    try log.save(DurableState(term: Term(rawValue: 1), votedFor: NodeID(rawValue: 11)))
    for index in 1...entries {
        try log.append(entry(index))
        if index % 3 == 0 { try log.commit() }
    }
    try log.close()
    return disk
}

@Suite struct CorruptionTests {
    /// Every field of a segment header.
    static let headerFields: [(name: String, offset: Int)] = [
        ("magic", 0), ("version", 8), ("header length", 12), ("cluster id", 16),
        ("server id", 32), ("segment number", 48), ("segment length", 56), ("first batch", 64),
        ("first index", 72), ("term before", 80), ("compacted index", 88),
        ("compacted term", 96), ("current term", 104), ("commit index", 112), ("vote", 120),
        ("times opened", 136), ("vote flag", 144), ("zeros", 150), ("checksum", 188),
    ]

    @Test(arguments: headerFields.map(\.offset), [0, 1])
    func `A header with one bit changed is refused, whichever field it is in`(
        offset: Int,
        segment: Int
    ) throws {
        let disk = try writtenDisk()
        var image = disk.image
        let name = disk.segmentNames[segment]
        for bit in 0..<8 {
            image[name]?[offset] ^= 1 << UInt8(bit)
            guard case .damaged(let damage) = refusal(image) else {
                Issue.record("bit \(bit) of byte \(offset) was not noticed")
                return
            }
            #expect(damage.file == name)
            image[name]?[offset] ^= 1 << UInt8(bit)
        }
    }

    @Test func `A record with one byte changed is refused, whichever byte it is`() throws {
        let disk = try writtenDisk()
        let name = disk.segmentNames[1]
        // The whole first record: checksum, length, kind, flags, tag, place, batch and body.
        let length = Int(try #require(disk.image[name])[432 + 4])
        for offset in 432..<(432 + 24 + length) {
            var image = disk.image
            image[name]?[offset] ^= 0x41
            guard case .damaged(let damage) = refusal(image) else {
                Issue.record("byte \(offset) was not noticed")
                return
            }
            #expect(damage.file == name && damage.offset == 432)
        }
    }

    @Test func `Damage before the last batch of the last segment is refused, not repaired`() throws
    {
        let disk = try writtenDisk()
        let name = try #require(disk.segmentNames.last)
        let bytes = try #require(disk.image[name])
        let end = try #require(bytes.lastIndex { $0 != 0 }) + 1
        let closedAt = (end - 24 + 7) / 8 * 8
        for offset in stride(from: 432, to: closedAt, by: 5) {
            for damage in [UInt8(0), 0xFF] where bytes[offset] != damage {
                var image = disk.image
                image[name]?[offset] = damage
                guard case .damaged = refusal(image) else {
                    Issue.record("byte \(offset) was not noticed")
                    return
                }
            }
        }
    }

    @Test func `Acknowledged batches that read as zeros are refused`() throws {
        let disk = try writtenDisk()
        for name in disk.segmentNames {
            var image = disk.image
            image[name]?.replaceSubrange(432..<944, with: [UInt8](repeating: 0, count: 512))
            guard case .damaged(let damage) = refusal(image) else {
                Issue.record("zeros in \(name) were not noticed")
                continue
            }
            #expect(damage.file == name)
        }
    }

    @Test func `A record that lies where another belongs never verifies`() throws {
        let disk = try writtenDisk()
        let names = disk.segmentNames
        for (from, to) in [(names[0], names[1]), (names[1], names[0])] {
            var image = disk.image
            let sector = try #require(image[from])[512..<1024]
            image[to]?.replaceSubrange(512..<1024, with: sector)
            guard case .damaged(let damage) = refusal(image) else {
                Issue.record("a misdirected write was not noticed")
                continue
            }
            #expect(damage.file == to)
        }
        // The same within one segment.
        var image = disk.image
        let sector = try #require(image[names[0]])[432..<944]
        image[names[0]]?.replaceSubrange(944..<1456, with: sector)
        #expect(refusal(image) != nil)
    }

    @Test func `A segment that is cut off is refused`() throws {
        let disk = try writtenDisk()
        for name in disk.segmentNames {
            for length in [0, 8, 100, 431, 432, 200, 1000] {
                var image = disk.image
                image[name] = Array(try #require(image[name]).prefix(length))
                guard case .damaged = refusal(image) else {
                    Issue.record("\(name) with \(length) bytes was not noticed")
                    continue
                }
            }
        }
    }

    @Test func `A missing segment whose entries are needed is refused`() throws {
        let disk = try writtenDisk()
        for name in disk.segmentNames.dropLast() {
            var image = disk.image
            image[name] = nil
            guard case .damaged(let damage) = refusal(image) else {
                Issue.record("the loss of \(name) was not noticed")
                continue
            }
            #expect(damage.reason.contains("is gone"))
        }
    }

    @Test func `Segments that changed places are refused`() throws {
        let disk = try writtenDisk()
        var image = disk.image
        let names = disk.segmentNames
        (image[names[0]], image[names[1]]) = (image[names[1]], image[names[0]])
        guard case .damaged(let damage) = refusal(image) else {
            Issue.record("the exchange was not noticed")
            return
        }
        #expect(damage.reason.contains("under the name of another"))
    }

    @Test func `A segment restored from an older image is refused when a later one exists`() throws
    {
        let disk = SimulatedStorage()
        var log = try openLog(disk)
        for index in UInt64(1)...6 {
            try log.append(entry(index))
            try log.commit()
        }
        let old = disk.image
        for index in UInt64(7)...40 {
            try log.append(entry(index))
            try log.commit()
        }
        try log.close()
        var image = disk.image
        let name = disk.segmentNames[0]
        image[name] = old[name]
        guard case .damaged(let damage) = refusal(image) else {
            Issue.record("the old segment was not noticed")
            return
        }
        #expect(damage.file == name)
    }

    @Test func `An old image of the whole log shows in how often it was opened`() throws {
        let disk = SimulatedStorage()
        try openLog(disk).close()
        let old = disk.image
        let seen = try openLog(disk).openings.count
        disk.image = old
        var log = try openLog(disk)
        #expect(log.openings.count == seen)
        try log.append(entry(1))
        try log.commit()
    }

    @Test func `Random bytes in a segment never end the process`() throws {
        let disk = try writtenDisk()
        var random = SeededRandom(seed: 5)
        for _ in 0..<300 {
            var image = disk.image
            let name = disk.segmentNames[random.below(disk.segmentNames.count)]
            let count = 1 + random.below(300)
            let start = random.below(try #require(image[name]).count)
            for offset in start..<min(start + count, try #require(image[name]).count) {
                image[name]?[offset] = UInt8(random.below(256))
            }
            _ = refusal(image)
        }
    }

    @Test func `A refusal names the file, the offset and the way out`() throws {
        let disk = try writtenDisk()
        var image = disk.image
        image[disk.segmentNames[0]]?[300] ^= 1
        let message = try #require(refusal(image)).message
        #expect(message.hasPrefix("0000000000000001.wal is damaged at offset "))
        #expect(message.contains("join again"))
    }
}
