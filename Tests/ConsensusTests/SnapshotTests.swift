import Consensus
import Model
import Raft
import Replica
import Snapshots
import StateStore
import Testing

@Suite(.serialized) struct ConsensusSnapshotTests {
    /// A cluster that takes a snapshot every few entries and keeps little of its log.
    private func frugalCluster() throws -> TestCluster {
        var cluster = try TestCluster(of: 3)
        for place in 0..<3 {
            cluster.change(place) { settings in
                settings.snapshots.entries = 40
                settings.snapshots.interval = .zero
                settings.snapshots.trailingEntries = 5
                settings.snapshots.patience = .zero
            }
        }
        return cluster
    }

    @Test func aServerThatWasAwayForLongIsSentASnapshot() async throws {
        var cluster = try frugalCluster()
        try await cluster.startAll()
        try await cluster.servers[0].set("first", "1")
        let away = try #require(
            cluster.servers.firstIndex { !$0.replica.leadership.isLeader }
        )
        try await cluster.servers.remove(at: away).stop()
        for count in 0..<300 { try await cluster.servers[0].set("k\(count % 7)", "\(count)") }
        let back = try await cluster.make(away)
        #expect(try await back.get("first") == "1")
        #expect(try await back.get("k0", .confirmed) == "294")
        try await back.set("k0", "mine")
        #expect(try await cluster.servers[1].get("k0") == "mine")
        cluster.servers.append(back)
        try await cluster.stopAll()
    }

    @Test func aRestartGoesOnFromTheSnapshot() async throws {
        var cluster = try frugalCluster()
        try await cluster.startAll()
        for count in 0..<120 { try await cluster.servers[count % 3].set("k\(count)", "v") }
        for server in cluster.servers { try await server.stop() }
        cluster.servers = []
        try await cluster.startAll()
        #expect(try await cluster.servers[0].get("k0") == "v")
        #expect(try await cluster.servers[1].get("k119") == "v")
        try await cluster.stopAll()
    }

    @Test func anArchiveTakesEffectOnEveryServer() async throws {
        var cluster = try TestCluster(of: 3)
        try await cluster.startAll()
        try await cluster.servers[0].set("old", "1")
        let archive = try Self.archive(of: "kept", at: 5_000)
        let follower = try #require(
            cluster.servers.first { !$0.replica.leadership.isLeader }
        )
        let result = try await follower.replica.restore(length: archive.count) { offset, count in
            Array(archive[offset..<(offset + count)])
        }
        #expect(result == .done)
        for server in cluster.servers {
            #expect(try await server.get("kept") == "yes")
            #expect(try await server.get("old") == nil)
        }
        try await cluster.servers[0].set("new", "2")
        let entry = cluster.servers[0].replica.current.store.keyValue("new").value?.entry
        #expect((entry?.indexes.modify.rawValue ?? 0) > 5_000)
        try await cluster.stopAll()
    }

    @Test func aDamagedArchiveChangesNothing() async throws {
        var cluster = try TestCluster(of: 1)
        try await cluster.startAll()
        try await cluster.servers[0].set("old", "1")
        let archive = Array(try Self.archive(of: "kept", at: 10).dropLast(20))
        let result = try await cluster.servers[0].replica.restore(length: archive.count) {
            offset,
            count in
            Array(archive[offset..<(offset + count)])
        }
        guard case .refused(.invalid) = result else {
            Issue.record("a damaged archive was taken: \(result)")
            return
        }
        #expect(try await cluster.servers[0].get("old") == "1")
        try await cluster.servers[0].set("still", "writes")
        try await cluster.stopAll()
    }

    @Test func oneServerOfThreeCanBeginANewCluster() async throws {
        var cluster = try TestCluster(of: 3)
        try await cluster.startAll()
        for count in 0..<20 { try await cluster.servers[0].set("k\(count)", "v\(count)") }
        #expect(try await cluster.servers[2].get("k19") == "v19")
        for server in cluster.servers { try await server.stop() }
        cluster.servers = []
        let settings = cluster.settings[2]
        let report = try ClusterRecovery.run(
            directory: settings.directory,
            server: settings.id,
            now: Timestamp(nanosecondsSinceEpoch: 1_700_000_000_000_000_000)
        )
        #expect(report.last.index.rawValue > 20)
        cluster.change(2) { $0.bootstrapExpect = 0 }
        let survivor = try await cluster.make(2)
        #expect(try await survivor.get("k19") == "v19")
        try await survivor.set("k19", "anew")
        #expect(try await survivor.get("k19", .confirmed) == "anew")
        #expect(survivor.replica.leadership.servers.count == 1)
        cluster.servers = [survivor]
        try await cluster.stopAll()
    }

    /// An archive of a registry with one key, whose index is `index`.
    private static func archive(of key: String, at index: UInt64) throws -> [UInt8] {
        var store = StateStore()
        var entry = KeyValueEntry()
        entry.key = key
        entry.value = Array("yes".utf8)
        var changes = ChangeSet()
        let result = store.apply(
            .keyValue(KeyValueCommand(operation: .set, entry: entry)),
            at: LogIndex(rawValue: index),
            stamped: Timestamp(nanosecondsSinceEpoch: 1),
            into: &changes
        )
        #expect(result == .done)
        let position = LogPosition(index: LogIndex(rawValue: index), term: Term(rawValue: 3))
        let nobody = PlacedConfiguration(
            index: .zero,
            configuration: ClusterConfiguration(members: [])
        )
        let metadata = SnapshotMetadata(
            stateIndex: LogIndex(rawValue: index),
            position: position,
            configuration: nobody,
            created: Timestamp(nanosecondsSinceEpoch: 1_000_000_000)
        )
        var archive: [UInt8] = []
        try SnapshotWriter().write(store: store, metadata: metadata) { archive += $0 }
        return archive
    }
}
