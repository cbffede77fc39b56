import DurableLog
import Model
import Raft
import StorageSimulation
import Testing
import WriteAheadLog

@Suite struct WritingTests {
    @Test func `The commit index is written with every few entries and at the end`() throws {
        let disk = SimulatedStorage()
        func committed() throws -> LogIndex {
            disk.restart()
            var log = try openLog(disk)
            return try log.recover(behind: nil).log.commit
        }
        do {
            var log = try openLog(disk)
            try log.bootstrap(cluster: 7, threeMembers)
            try log.stage([.append([command(2), command(3), command(4)])], commit: index(3))
            try log.commit()
        }
        #expect(try committed() == .zero)
        do {
            var log = try openLog(disk)
            try log.stage([.append([command(5)])], commit: index(4))
            try log.commit()
        }
        #expect(try committed() == index(4))
        do {
            let log = try openLog(disk)
            try log.close(commit: index(5))
        }
        #expect(try committed() == index(5))
    }

    @Test func `A commit index beyond the entries marks no more than there are`() throws {
        let disk = SimulatedStorage()
        var log = try openLog(disk)
        try log.bootstrap(cluster: 7, threeMembers)
        try log.stage([.append([command(2), command(3), command(4)])], commit: index(90))
        try log.commit()
        #expect(try log.recover(behind: nil).log.commit == index(4))
    }

    @Test func `Changes that the log cannot contain end it`() throws {
        let writes: [LogWrite] = [
            .append([command(11)]),
            .append([command(10, term: 1), command(12)]),
            .truncate(after: index(5)),
            .truncate(after: index(12)),
            .compact(through: index(12)),
            .reset(point(1, term: 1)),
            hardState(0),
        ]
        for write in writes {
            let disk = try filledDisk(through: 9, commit: 6)
            disk.restart()
            var log = try openLog(disk)
            try log.stage([.compact(through: index(2))], commit: .zero)
            do throws(DurableLogError) {
                try log.stage([write], commit: .zero)
                Issue.record("\(write) was taken")
            } catch {
                guard case .contradiction = error else { throw error }
            }
        }
    }

    @Test func `A log near its limit says so before it ends`() throws {
        let disk = SimulatedStorage()
        var log = try openLog(disk)
        try log.bootstrap(cluster: 7, threeMembers)
        var roomEnded: UInt64?
        var failed: DurableLogError?
        var number = UInt64(2)
        while failed == nil, number < 1000 {
            if roomEnded == nil, try !log.hasRoom() { roomEnded = number }
            do throws(DurableLogError) {
                try log.stage([.append([command(number)])], commit: .zero)
                try log.commit()
            } catch {
                failed = error
            }
            number += 1
        }
        #expect(failed == .full(.full))
        let ended = try #require(roomEnded)
        #expect(ended < number - 10)
    }

    @Test func `Space below the reserve says so`() throws {
        let disk = SimulatedStorage()
        disk.capacityBytes = 3 * smallLimits.segmentSizeBytes
        let log = try openLog(disk)
        #expect(try log.hasRoom() == true)
        disk.capacityBytes = 2 * smallLimits.segmentSizeBytes - 1
        #expect(try log.hasRoom() == false)
    }

    @Test func `A full disk ends the log and says what to do`() throws {
        let disk = SimulatedStorage()
        disk.capacityBytes = 3 * smallLimits.segmentSizeBytes
        var log = try openLog(disk)
        try log.bootstrap(cluster: 7, threeMembers)
        do throws(DurableLogError) {
            for number in UInt64(2)..<200 {
                try log.stage([.append([command(number)])], commit: .zero)
                try log.commit()
            }
            Issue.record("more entries than space")
        } catch {
            #expect(error.message.contains("free space on this file system"))
        }
    }

    @Test func `An entry over the log's limit ends it`() throws {
        let disk = SimulatedStorage()
        var log = try openLog(disk)
        try log.bootstrap(cluster: 7, threeMembers)
        do throws(DurableLogError) {
            try log.stage([.append([command(2, bytes: 257)])], commit: .zero)
            Issue.record("an entry over the limit")
        } catch {
            #expect(error == .full(.entryTooLarge(bytes: 257, limitBytes: 256)))
        }
    }

    @Test func `Entries are read back as they were, without those that are gone or staged`() throws
    {
        let disk = try filledDisk(through: 9)
        disk.restart()
        var log = try openLog(disk)
        try log.stage([.compact(through: index(3))], commit: .zero)
        try log.commit()
        try log.stage([.append([command(10)])], commit: .zero)
        #expect(try log.entries(in: index(2)...index(9), bytesLimit: 9000) == [])
        #expect(
            try log.entries(in: index(4)...index(20), bytesLimit: 9000)
                == (4...9).map { command($0) }
        )
        #expect(try log.entries(in: index(4)...index(9), bytesLimit: 1) == [command(4)])
        #expect(try log.entries(in: index(10)...index(10), bytesLimit: 9000) == [])
        try log.commit()
        #expect(try log.entries(in: index(10)...index(10), bytesLimit: 9000) == [command(10)])
    }

    @Test func `Damage is found when entries are read and by a scrub`() throws {
        let disk = try filledDisk(through: 9)
        disk.restart()
        let log = try openLog(disk)
        disk.damage(disk.segmentNames[0], at: 700)
        var cursor: ScrubCursor? = ScrubCursor()
        let found = failure { () throws(DurableLogError) in
            while let next = cursor { cursor = try log.scrub(from: next, maxBytes: 100) }
        }
        guard case .log(.damaged) = found else {
            Issue.record("\(String(describing: found))")
            return
        }
        let read = failure { () throws(DurableLogError) in
            _ = try log.entries(in: index(1)...index(9), bytesLimit: 9000)
        }
        guard case .log(.damaged) = read else {
            Issue.record("\(String(describing: read))")
            return
        }
    }
}
