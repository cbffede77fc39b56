import DurableLog
import Model
import Raft
import StorageSimulation
import Testing
import WriteAheadLog

private func mark(_ number: UInt64) -> ServerMark {
    ServerMark(
        birth: UInt128(number) << 70,
        count: number,
        number: UInt128(number) << 65,
        term: Term(rawValue: number + 1),
        acknowledged: index(number + 2),
        kept: index(number + 3)
    )
}

private func marks(_ count: UInt64) -> [NodeID: ServerMark] {
    Dictionary(
        uniqueKeysWithValues: (0..<count).map { (NodeID(rawValue: UInt128($0) << 66), mark($0)) }
    )
}

@Suite struct MarkTests {
    @Test func `What is remembered of other servers is there after a restart`() throws {
        let disk = try filledDisk(through: 4)
        for count in [3, 0, 40] as [UInt64] {
            var log = try openLog(disk)
            try log.remember(marks(count))
            try log.close(commit: .zero)
            var random = SeededRandom(seed: count)
            disk.crash(using: &random)
            #expect(try openLog(disk).marks == marks(count))
        }
        #expect(disk.openFiles == 0)
    }

    @Test func `Marks of another cluster are not believed`() throws {
        let disk = try filledDisk(through: 2)
        var log = try openLog(disk)
        try log.remember(marks(3))
        try log.close(commit: .zero)
        let other = SimulatedStorage()
        other.image = disk.image.filter { !$0.key.hasSuffix(".wal") }
        var fresh = try openLog(other)
        try fresh.bootstrap(cluster: 8, threeMembers)
        try fresh.close(commit: .zero)
        #expect(try openLog(other).marks.isEmpty)
        #expect(try openLog(disk).marks == marks(3))
    }

    @Test func `Damage is refused with what to do, and nothing is changed`() throws {
        let disk = try filledDisk(through: 2)
        var log = try openLog(disk)
        try log.remember(marks(2))
        try log.close(commit: .zero)
        let image = disk.image
        let whole = try #require(image["servers"])
        var damaged = (0..<whole.count).map { place in
            var bytes = whole
            bytes[place] ^= 4
            return bytes
        }
        damaged += [[], Array(whole.dropLast()), whole + [0]]
        for bytes in damaged {
            disk.image = image.merging(["servers": bytes]) { $1 }
            let error = failure { () throws(DurableLogError) in _ = try openLog(disk) }
            guard case .marksDamaged = error else {
                Issue.record("damage was not noticed: \(String(describing: error))")
                return
            }
            #expect(error?.message.contains("remove it and start again") == true)
            #expect(disk.image["servers"] == bytes)
        }
    }

    @Test func `A crash at any operation leaves the old marks or the new ones`() throws {
        let image: [String: [UInt8]]
        do {
            let disk = try filledDisk(through: 3)
            var log = try openLog(disk)
            try log.remember(marks(2))
            try log.close(commit: .zero)
            image = disk.image
        }
        for seed in UInt64(0)..<8 {
            for operation in 0..<40 {
                let disk = SimulatedStorage()
                disk.image = image
                var log = try openLog(disk)
                disk.crashAt = disk.operations + operation
                let error = failure { () throws(DurableLogError) in try log.remember(marks(5)) }
                var random = SeededRandom(seed: seed << 8 | UInt64(operation))
                disk.crash(using: &random)
                let found = try openLog(disk).marks
                #expect(found == marks(5) || error != nil && found == marks(2))
                // What the crash left behind is in nobody's way.
                var next = try openLog(disk)
                try next.remember(marks(1))
                #expect(try openLog(disk).marks == marks(1))
                if error == nil { break }
            }
        }
    }

    /// A new server is let into a cluster: it adopts the cluster, then stores a snapshot.
    @Test func `A crash at any step of joining by a snapshot leaves a server that starts`() throws {
        var steps = 0
        for seed in UInt64(0)..<16 {
            for operation in 0..<200 {
                let disk = SimulatedStorage()
                disk.crashAt = operation
                var stored: StoredSnapshot?
                let error = failure { () throws(DurableLogError) in
                    var log = try openLog(disk)
                    _ = try log.recover(behind: nil)
                    try log.adopt(cluster: 7)
                    stored = snapshot(9, term: 2)
                    try log.stage(
                        [hardState(2), .reset(point(9, term: 2))],
                        commit: index(9)
                    )
                    try log.commit()
                }
                var random = SeededRandom(seed: seed << 8 | UInt64(operation))
                disk.crash(using: &random)
                var log = try openLog(disk)
                let state = try log.recover(behind: stored)
                #expect(state.log.lastIndex == (stored == nil ? .zero : index(9)))
                #expect(stored == nil || log.identity.cluster == 7)
                if error == nil { break }
                steps += 1
            }
        }
        #expect(steps > 16 * 15)
    }
}
