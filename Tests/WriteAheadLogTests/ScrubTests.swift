import Model
import Raft
import StorageSimulation
import Testing
import WriteAheadLog

@Suite struct ScrubTests {
    /// Verifies a whole log in small steps and says how many there were.
    private func scrub(_ log: borrowing Log) throws(WriteAheadLogError) -> Int {
        var cursor: ScrubCursor? = ScrubCursor()
        var steps = 0
        while let at = cursor, steps < 10_000 {
            cursor = try log.scrub(from: at, maxBytes: 100)
            steps += 1
        }
        return steps
    }

    @Test func `A whole log passes the scrub, a bit at a time`() throws {
        let log = try openLog(try writtenDisk())
        #expect(try scrub(log) > 10)
    }

    @Test func `The scrub finds a changed byte anywhere in what is written`() throws {
        let disk = try writtenDisk(entries: 30)
        let log = try openLog(disk)
        for name in disk.segmentNames {
            let file = try disk.open(name, forWriting: true)
            let bytes = try disk.read(file, at: 0, count: smallLimits.segmentSizeBytes)
            let end = (try #require(bytes.lastIndex { $0 != 0 }) + 1)
            for offset in stride(from: 0, to: end, by: 37) {
                try disk.write([bytes[offset] ^ 0x10], to: file, at: offset)
                do {
                    _ = try scrub(log)
                    Issue.record("byte \(offset) of \(name) was not noticed")
                } catch {
                    guard case .damaged(let damage) = error else { throw error }
                    #expect(damage.file == name && damage.offset <= offset)
                }
                try disk.write([bytes[offset]], to: file, at: offset)
            }
            disk.close(file)
        }
        _ = try scrub(log)
    }

    @Test func `The dump shows every record and changes nothing`() throws {
        let disk = try writtenDisk()
        let image = disk.image
        var entries: [LogEntry] = []
        var segments = 0
        try DumpReader(disk, limits: smallLimits).read { item in
            if case .record(.entry(let entry), _, _, _) = item { entries.append(entry) }
            if case .segment = item { segments += 1 }
            if case .damage = item { Issue.record("damage where none is") }
            return true
        }
        #expect(entries == (1...60).map { entry($0) })
        #expect(segments == disk.segmentNames.count)
        #expect(disk.image == image && disk.openFiles == 0)
    }

    @Test func `The dump goes on behind damage`() throws {
        let disk = try writtenDisk()
        var image = disk.image
        image[disk.segmentNames[0]]?[700] ^= 1
        disk.image = image
        var lines: [String] = []
        var entries = 0
        try DumpReader(disk, limits: smallLimits).read { item in
            lines.append(item.line)
            if case .record(.entry, _, _, _) = item { entries += 1 }
            return true
        }
        #expect(entries == 59)
        #expect(lines.contains { $0.contains("damaged: a record fails its checksum") })
        #expect(lines.contains { $0.contains("entry 60 term 1 type 3, 40 bytes") })
    }
}
