import Consensus
import Foundation
import Model
import Raft
import Replica
import Testing

/// A member whose directory was emptied has forgotten its votes.
@Suite(.serialized) struct EmptiedDiskTests {
    /// What a server that keeps asking reads in the end.
    private func read(_ key: String, on server: TestServer, tries: Int) async throws -> String? {
        for _ in 1..<tries {
            do {
                return try await server.get(key)
            } catch let error as ProposalError where error == .noLeader {
                continue
            }
        }
        return try await server.get(key)
    }

    @Test func itIsLetInUnderItsIdOnlyAfterItWasRemoved() async throws {
        var cluster = try TestCluster(of: 3)
        for place in 0..<3 { cluster.change(place) { $0.limits.holdTime = .seconds(3) } }
        try await cluster.startAll()
        #expect(await write("1", on: cluster.servers[0]))
        let place = try #require(
            cluster.servers.firstIndex { !$0.replica.leadership.isLeader }
        )
        let gone = cluster.servers.remove(at: place)
        // It has everything, so that it is remembered with something on its disk.
        #expect(try await read("key", on: gone, tries: 5) == "1")
        try await gone.stop()
        try FileManager.default.removeItem(atPath: gone.settings.directory)
        cluster.change(place) { $0.bootstrapExpect = 0 }
        let emptied = try await cluster.make(place)
        await #expect(throws: ProposalError.noLeader) { try await emptied.get("key") }
        #expect(emptied.replica.leadership.servers.isEmpty)
        let id = ServerID.text(gone.settings.id)
        #expect(await remove(id, on: cluster.servers[0]))
        #expect(try await read("key", on: emptied, tries: 10) == "1")
        // It is known again, by its new log.
        try await emptied.stop()
        cluster.servers.append(try await cluster.make(place))
        #expect(try await read("key", on: cluster.servers[2], tries: 10) == "1")
        #expect(await write("2", on: cluster.servers[2]))
        try await cluster.stopAll()
    }

    /// Asks until the server is gone; on a busy machine the leader may change meanwhile.
    private func remove(_ id: String, on server: TestServer) async -> Bool {
        for _ in 0..<10 {
            switch await server.ask(.removeServer(.id(id))) {
            case .done, .notFound: return true
            default: continue
            }
        }
        return false
    }

    private func write(_ value: String, on server: TestServer) async -> Bool {
        for _ in 0..<10 {
            do {
                try await server.set("key", value)
                return true
            } catch {
                continue
            }
        }
        return false
    }
}
