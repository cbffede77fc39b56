import Foundation
import Model
import Raft
import StateStore
import Testing

@testable import Snapshots

/// The directory has whole snapshots, or says which file is not.
@Suite struct DirectoryTests {
    private let home: TestDirectory
    private var path: String { home.path + "/snapshots" }

    init() throws {
        home = try TestDirectory()
    }

    private func world(term: UInt64, index: UInt64) -> SampleWorld {
        var world = SampleWorld()
        world.put("at", Array("\(term) \(index)".utf8))
        world.metadata.position = LogPosition(
            index: LogIndex(rawValue: index),
            term: Term(rawValue: term)
        )
        return world
    }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    private func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    }

    @Test func `saves, finds the newest again and keeps two`() throws {
        let directory = try SnapshotDirectory(path: path)
        #expect(try directory.newest()?.name == nil)
        for (term, index) in [(1, 9), (1, 100), (2, 20), (2, 19)] as [(UInt64, UInt64)] {
            let world = world(term: term, index: index)
            try directory.save(store: world.store, metadata: world.metadata)
        }
        // An older one than those that are kept is kept itself until the next.
        #expect(try directory.list().map(\.position.index.rawValue).first == 20)
        let again = try SnapshotDirectory(path: path)
        let loaded = try #require(try again.newest())
        #expect(loaded.metadata.position.index.rawValue == 20)
        #expect(loaded.store.keyValue("at").value?.entry.value == Array("2 20".utf8))
        #expect(try names().count == 2)
    }

    @Test func `what a crash left behind goes at the next start, foreign files stay`() throws {
        _ = try SnapshotDirectory(path: path)
        try write([1], to: "1-5-7.saving")
        try write([1], to: "notes.txt")
        try write([1], to: "+1-5-7.saving")
        for index in 1...4 { try write([1], to: "1-\(index)-7.partial") }
        _ = try SnapshotDirectory(path: path)
        #expect(try names() == ["+1-5-7.saving", "1-3-7.partial", "1-4-7.partial", "notes.txt"])
    }

    @Test func `a damaged newest snapshot is an error with file and remedy`() throws {
        let directory = try SnapshotDirectory(path: path)
        let world = world(term: 1, index: 9)
        let name = try directory.save(store: world.store, metadata: world.metadata)
        let later = self.world(term: 1, index: 12)
        let newest = try directory.save(store: later.store, metadata: later.metadata)
        var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path + "/\(newest).snap")))
        bytes[bytes.count / 2] ^= 0xFF
        try write(bytes, to: "\(newest).snap")
        let error = #expect(throws: SnapshotError.self) { try directory.newest() }
        #expect(error?.message.contains("\(newest).snap") == true)
        #expect(error?.message.contains("data directory") == true)
        // The one before it is whole, for whoever knows that the log reaches back.
        #expect(try directory.load(name).metadata.position.index.rawValue == 9)
        // A file under another's name.
        try FileManager.default.removeItem(atPath: path + "/\(newest).snap")
        try FileManager.default.copyItem(
            atPath: path + "/\(name).snap",
            toPath: path + "/1-99-7.snap"
        )
        #expect(throws: SnapshotError.self) { try directory.newest() }
    }

    @Test func `a snapshot goes from one directory to another, and goes on after a restart`() throws
    {
        let source = try SnapshotDirectory(path: home.path + "/source")
        let world = world(term: 3, index: 77)
        let name = try source.save(store: world.store, metadata: world.metadata)
        let file = try source.open(name)
        let half = file.sizeBytes / 2
        do {
            let target = try SnapshotDirectory(path: path)
            let receiver = try target.receive(name, sizeBytes: file.sizeBytes)
            #expect(receiver.offset == 0)
            #expect(try receiver.append(file.read(at: 0, count: half), at: 0))
            #expect(throws: SnapshotError.self) { try target.install(receiver) }
        }
        let target = try SnapshotDirectory(path: path)
        let receiver = try target.receive(name, sizeBytes: file.sizeBytes)
        #expect(receiver.offset == half)
        #expect(try !receiver.append([1], at: half + 1))
        #expect(try !receiver.append([UInt8](repeating: 0, count: file.sizeBytes), at: half))
        #expect(try receiver.append(file.read(at: half, count: .max), at: half))
        let loaded = try target.install(receiver)
        #expect(recordBytes(of: loaded.store) == recordBytes(of: world.store))
        #expect(loaded.metadata.point == world.metadata.point)
        #expect(try target.newest()?.name == name)
        #expect(try names() == ["\(name).snap"])
    }

    @Test func `a damaged transfer is refused and forgotten`() throws {
        let world = world(term: 3, index: 77)
        var archive = try world.archive()
        archive[archive.count / 2] ^= 1
        let name = SnapshotName(world.metadata)
        let target = try SnapshotDirectory(path: path)
        let receiver = try target.receive(name, sizeBytes: archive.count)
        #expect(try receiver.append(archive, at: 0))
        #expect(throws: SnapshotError.self) { try target.install(receiver) }
        #expect(try names().isEmpty)
        #expect(try target.receive(name, sizeBytes: archive.count).offset == 0)
    }

    @Test func `a disk that fails is a storage error`() throws {
        let directory = try SnapshotDirectory(path: path)
        try FileManager.default.removeItem(atPath: path)
        let world = world(term: 1, index: 1)
        let error = #expect(throws: SnapshotError.self) {
            try directory.save(store: world.store, metadata: world.metadata)
        }
        guard case .storage(let failure) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(failure.file.contains(path))
        #expect(throws: SnapshotError.self) {
            try SnapshotDirectory(path: home.path + "/missing/snapshots")
        }
    }

    @Test(arguments: ["", "1-2", "1-2-3-4", "01-2-3", "+1-2-3", "-1-2-3", "a-2-3", "1--3"])
    func `names that no snapshot has`(text: String) {
        #expect(SnapshotName(text) == nil)
    }
}
