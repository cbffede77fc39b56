import Model
import Raft
import StateStore
import Testing

@testable import Snapshots

/// Archives carry a state and what belongs to it, whole or not at all.
@Suite struct ArchiveTests {
    @Test func `what was written is read back`() throws {
        let world = SampleWorld()
        let archive = try world.archive()
        let (metadata, store) = try readSnapshot(archive)
        #expect(metadata.point == world.metadata.point)
        #expect(metadata.stateIndex == world.metadata.stateIndex)
        #expect(metadata.cluster == world.metadata.cluster)
        #expect(metadata.indexOffset == 7)
        #expect(metadata.lastStamp == world.metadata.lastStamp)
        #expect(metadata.requests == [1, 2, 3])
        #expect(metadata.created == world.metadata.created)
        #expect(metadata.isOurs)
        #expect(recordBytes(of: store) == recordBytes(of: world.store))
        #expect(store.carriedState == world.store.carriedState)
    }

    @Test func `the same state gives the same archive`() throws {
        let world = SampleWorld()
        let archive = try world.archive()
        #expect(try world.archive() == archive)
        let (metadata, store) = try readSnapshot(archive)
        #expect(try writeSnapshot(store, metadata) == archive)
    }

    @Test func `a joint configuration and learners come back`() throws {
        var world = SampleWorld()
        let member = { (id: UInt128, role: MemberRole) in
            ClusterMember(id: NodeID(rawValue: id), role: role, address: "10.0.0.\(id):8300")
        }
        world.metadata.configuration = PlacedConfiguration(
            index: LogIndex(rawValue: 5),
            configuration: ClusterConfiguration(
                members: [member(1, .voter), member(2, .learner), member(4, .voter)],
                outgoing: [member(1, .voter), member(3, .voter)]
            )
        )
        let (metadata, _) = try readSnapshot(try world.archive())
        #expect(metadata.configuration == world.metadata.configuration)
    }

    @Test func `an archive of Consul's is read, and its records written as they were`() throws {
        let golden = try goldenArchive()
        let (metadata, store) = try readSnapshot(golden)
        #expect(!metadata.isOurs)
        #expect(metadata.stateIndex.rawValue == 46)
        #expect(
            metadata.position == LogPosition(index: .init(rawValue: 46), term: .init(rawValue: 2))
        )
        #expect(metadata.configuration.configuration.members.map(\.address) == ["127.0.0.1:28300"])
        #expect(store.keyValue("a/b").value?.entry.value == Array("hello".utf8))
        #expect(store.serviceInstances("web", connect: true).value.map(\.service.id) == ["webp"])

        let theirs = try records(of: try stateFile(of: golden))
        let ours = try records(of: recordBytes(of: store))
        #expect(ours.map(\.type) == theirs.map(\.type))
        // Maps of opaque settings have no order in Go: those records are compared by length.
        for (left, right) in zip(ours, theirs) where left.bytes != right.bytes {
            #expect(left.bytes.count == right.bytes.count, "type \(left.type)")
            #expect(left.bytes.sorted() == right.bytes.sorted(), "type \(left.type)")
        }
        let same = zip(ours, theirs).count { $0.bytes == $1.bytes }
        #expect(same >= theirs.count - 2)
    }

    @Test func `a large state goes through a file and leaves nothing behind`() throws {
        var world = SampleWorld()
        var limits = SnapshotLimits()
        limits.spoolMemoryBytes = 1000
        var random = SystemRandomNumberGenerator()
        for number in 0..<40 {
            world.put(
                "big/\(number)",
                (0..<50_000).map { _ in UInt8.random(in: 0...255, using: &random) }
            )
        }
        let directory = try TestDirectory()
        let small = try writeSnapshot(world.store, world.metadata)
        let spooled = try writeSnapshot(world.store, world.metadata, limits, directory.path)
        #expect(small == spooled)
        #expect(directory.names.isEmpty)
        #expect(recordBytes(of: try readSnapshot(spooled).store) == recordBytes(of: world.store))
    }

    @Test func `a failing sink stops the writing`() throws {
        struct Full: Error {}
        let world = SampleWorld()
        #expect(throws: Full.self) {
            try SnapshotWriter().write(store: world.store, metadata: world.metadata) { _ in
                throw Full()
            }
        }
    }

    @Test(arguments: [1, 3, 100, 65536])
    func `pieces may be cut anywhere`(size: Int) throws {
        let archive = try goldenArchive()
        let whole = recordBytes(of: try readSnapshot(archive).store)
        #expect(recordBytes(of: try readSnapshot(archive, pieceBytes: size).store) == whole)
    }
}
