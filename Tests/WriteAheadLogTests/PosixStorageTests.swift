import Foundation
import Model
import Raft
import Testing
import WriteAheadLog

@Suite struct PosixStorageTests {
    /// Runs `body` with a new directory, which is removed afterwards.
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let url = FileManager.default.temporaryDirectory.appending(
            path: "wal-\(UUID().uuidString)"
        )
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        defer {
            // What cannot be removed is left to the system.
            try? FileManager.default.removeItem(at: url)
        }
        try body(url.path)
    }

    @Test func `A log in a real directory survives being opened again`() throws {
        try withDirectory { path in
            for round in UInt64(0)..<3 {
                let disk = try PosixStorage(path: path)
                var log = try WriteAheadLog.open(disk, identity: identity, limits: smallLimits)
                #expect(log.last.index.rawValue == round * 20)
                for index in 1...UInt64(20) { try log.append(entry(round * 20 + index)) }
                // The second time it is not closed in order.
                if round == 1 { try log.commit() } else { try log.close() }
            }
            let disk = try PosixStorage(path: path)
            let log = try WriteAheadLog.open(disk, identity: identity, limits: smallLimits)
            let range = LogIndex(rawValue: 1)...LogIndex(rawValue: 60)
            #expect(try log.entries(in: range, maxBytes: .max) == (1...60).map { entry($0) })
            #expect(try log.hasRoom())
        }
    }

    @Test func `A directory that is in use is refused`() throws {
        try withDirectory { path in
            let first = try PosixStorage(path: path)
            do throws(StorageFailure) {
                _ = try PosixStorage(path: path)
                Issue.record("the directory was opened twice")
            } catch {
                #expect(error.reason == "another process uses this directory")
            }
            let reader = try PosixStorage(path: path, exclusively: false)
            #expect(try reader.list() == first.list())
        }
    }

    @Test func `Errors of the system come with its words`() throws {
        try withDirectory { path in
            let disk = try PosixStorage(path: path)
            do throws(StorageFailure) {
                _ = try disk.open("missing", forWriting: false)
                Issue.record("a missing file was opened")
            } catch {
                #expect(error.file == "missing" && error.code == 2 && !error.reason.isEmpty)
            }
            let file = try disk.create("one", sizeBytes: 4096)
            #expect(try disk.size(of: file) == 4096)
            try disk.write([1, 2, 3], to: file, at: 4094)
            #expect(try disk.read(file, at: 4094, count: 10) == [1, 2, 3])
            try disk.truncate(file, toBytes: 10)
            #expect(try disk.size(of: file) == 10)
            do throws(StorageFailure) {
                _ = try disk.create("one", sizeBytes: 1)
                Issue.record("a file was made twice")
            } catch {
                #expect(error.operation == "create")
            }
            disk.close(file)
            try disk.rename("one", to: "two")
            #expect(try disk.list() == ["two"])
            try disk.delete("two")
            try disk.syncDirectory()
            #expect(try disk.list().isEmpty)
        }
    }
}
