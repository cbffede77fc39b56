import Checksums
import Model
import Raft
import StorageSimulation
import Testing
import WriteAheadLog

@Suite struct WriteAheadLogTests {
    @Test func `A new log is empty`() throws {
        let log = try openLog(SimulatedStorage())
        let (isNew, opened, last) = (log.report.isNew, log.openings.count, log.last)
        #expect(isNew && opened == 1 && last == .zero)
        #expect(try contents(of: log) == LogModel())
    }

    @Test func `What was committed is there after the next start`() throws {
        let disk = try writtenDisk()
        let log = try openLog(disk)
        let found = try contents(of: log)
        #expect(found.entries == (1...60).map { entry($0) })
        #expect(found.state.votedFor == NodeID(rawValue: 11))
        let report = log.report
        #expect(report.wasClosed && !report.isNew && report.segments == disk.segmentNames.count)
        #expect(report.segments > 2)
    }

    @Test func `Many entries cost one write and one sync`() throws {
        let disk = SimulatedStorage()
        var log = try openLog(disk)
        let (writes, syncs) = (disk.writes, disk.syncs)
        for index in UInt64(1)...8 { try log.append(entry(index)) }
        try log.save(DurableState(term: Term(rawValue: 1)))
        #expect(disk.writes == writes)
        try log.commit()
        #expect(disk.writes == writes + 1 && disk.syncs == syncs + 1)
        try log.commit()
        #expect(disk.syncs == syncs + 1)
    }

    @Test func `Entries are read only once they are on disk`() throws {
        var log = try openLog(SimulatedStorage())
        let first = LogIndex(rawValue: 1)
        try log.append(entry(1))
        do {
            _ = try log.entries(in: first...first, maxBytes: 100)
            Issue.record("an entry was read before it was written")
        } catch {
            #expect(error == .refused(.notInLog(first)))
        }
        try log.commit()
        #expect(try log.entries(in: first...first, maxBytes: 1) == [entry(1)])
    }

    @Test func `A dropped suffix stays dropped, and its place is written anew`() throws {
        let disk = SimulatedStorage()
        var log = try openLog(disk)
        for index in UInt64(1)...30 { try log.append(entry(index, term: 5)) }
        try log.commit()
        try log.truncate(after: LogIndex(rawValue: 3))
        for index in UInt64(4)...6 { try log.append(entry(index, term: 6)) }
        try log.close()
        let found = try contents(of: try openLog(disk))
        #expect(found.entries.map(\.term.rawValue) == [5, 5, 5, 6, 6, 6])
    }

    @Test func `Compaction deletes the segments that nothing needs`() throws {
        let disk = SimulatedStorage()
        var log = try openLog(disk)
        for index in UInt64(1)...60 { try log.append(entry(index)) }
        try log.commit()
        let before = disk.segmentNames.count
        try log.compact(through: LogIndex(rawValue: 50))
        #expect(disk.segmentNames.count == before)
        try log.commit()
        #expect(disk.segmentNames.count < before - 1)
        try log.close()
        let found = try contents(of: try openLog(disk))
        #expect(found.base.index.rawValue == 50 && found.entries.count == 10)
    }

    @Test func `A reset leaves a log that goes on behind the snapshot`() throws {
        let disk = SimulatedStorage()
        var log = try openLog(disk)
        for index in UInt64(1)...30 { try log.append(entry(index)) }
        try log.commit()
        let position = LogPosition(index: LogIndex(rawValue: 1000), term: Term(rawValue: 4))
        try log.reset(to: position)
        try log.append(entry(1001, term: 4))
        try log.close()
        #expect(disk.segmentNames.count == 1)
        let found = try contents(of: try openLog(disk))
        #expect(found.base == position && found.entries == [entry(1001, term: 4)])
    }

    @Test func `A torn last batch is removed and reported`() throws {
        let disk = SimulatedStorage()
        var log = try openLog(disk)
        try log.append(entry(1))
        try log.commit()
        let before = disk.image
        try log.append(entry(2))
        try log.append(entry(3))
        try log.commit()
        var torn = disk.image
        let name = disk.segmentNames[0]
        let end = try #require(before[name]?.lastIndex { $0 != 0 })
        let start = (end + 8) / 8 * 8
        torn[name]?.replaceSubrange(
            (start + 30)..<(start + 60),
            with: [UInt8](repeating: 0, count: 30)
        )
        disk.image = torn
        let again = try openLog(disk)
        #expect(try contents(of: again).entries == [entry(1)])
        let removed = again.report.removedTail
        #expect(removed?.file == name && removed?.offset == start)
        // Nothing of it is left for the next start to find.
        let third = try openLog(disk).report.removedTail
        #expect(third == nil)
    }

    @Test func `A log of another cluster or server is refused`() throws {
        let image = try writtenDisk(entries: 3).image
        for other in [
            LogIdentity(cluster: 8, server: identity.server),
            LogIdentity(cluster: 7, server: NodeID(rawValue: 12)),
        ] {
            guard case .foreign(_, let expected, let found) = refusal(image, identity: other) else {
                Issue.record("\(other) was let in")
                continue
            }
            #expect(expected == other && found == identity)
        }
    }

    @Test func `A cluster that becomes known later is kept from then on`() throws {
        let disk = SimulatedStorage()
        let unknown = LogIdentity(cluster: 0, server: identity.server)
        var log = try WriteAheadLog.open(disk, identity: unknown, limits: smallLimits)
        try log.append(entry(1))
        try log.adopt(cluster: 7)
        try log.append(entry(2))
        try log.close()
        let found = try WriteAheadLog.open(disk, identity: unknown, limits: smallLimits).identity
        #expect(found == identity)
        #expect(try contents(of: try openLog(disk)).entries == [entry(1), entry(2)])
        let other = LogIdentity(cluster: 9, server: identity.server)
        #expect(refusal(disk.image, identity: other) != nil)
    }

    @Test func `Another format version is refused by its number`() throws {
        let disk = try writtenDisk(entries: 3)
        var image = disk.image
        let name = disk.segmentNames[0]
        var header = Array(try #require(image[name])[..<428])
        header[8] = 3
        let checksum = CRC32C.checksum(header)
        header += withUnsafeBytes(of: checksum.littleEndian) { Array($0) }
        image[name]?.replaceSubrange(0..<432, with: header)
        #expect(refusal(image) == .otherVersion(file: name, found: 3))
    }

    @Test func `A full disk ends the log and loses nothing`() throws {
        let disk = SimulatedStorage()
        disk.capacityBytes = 3 * smallLimits.segmentSizeBytes
        var log = try openLog(disk)
        #expect(try log.hasRoom())
        var acknowledged: UInt64 = 0
        do {
            for index in UInt64(1)...100 {
                try log.append(entry(index, bytes: 200))
                try log.commit()
                acknowledged = index
            }
            Issue.record("the disk was never full")
        } catch {
            guard case .storage(let failure) = error else { throw error }
            #expect(failure.isOutOfSpace && error.message.contains("free space"))
        }
        #expect(try !log.hasRoom())
        disk.restart()
        disk.capacityBytes = 100 * smallLimits.segmentSizeBytes
        let found = try contents(of: try openLog(disk))
        #expect(found.last.index.rawValue == acknowledged && acknowledged > 10)
    }

    @Test func `An entry beyond the limit is refused and the log goes on`() throws {
        var log = try openLog(SimulatedStorage())
        do {
            try log.append(entry(1, bytes: 257))
            Issue.record("a large entry was taken")
        } catch {
            #expect(error == .refused(.entryTooLarge(bytes: 257, limitBytes: 256)))
            #expect(error.isRefusal)
        }
        try log.append(entry(1, bytes: 256))
        try log.commit()
    }

    @Test func `An append that leaves a gap ends the process`() async {
        await #expect(processExitsWith: .failure) {
            var log = try openLog(SimulatedStorage())
            try log.append(entry(2))
        }
    }
}
