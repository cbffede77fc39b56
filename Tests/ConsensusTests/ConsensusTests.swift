import Consensus
import Model
import Raft
import Replica
import Testing

@Suite(.serialized) struct ConsensusTests {
    @Test func oneServerKeepsItsWritesAcrossARestart() async throws {
        var cluster = try TestCluster(of: 1)
        let first = try await cluster.make(0)
        try await first.set("a", "1")
        try await first.set("b", "2")
        #expect(try await first.get("b") == "2")
        try await first.stop()
        let second = try await cluster.make(0)
        cluster.servers = [second]
        #expect(try await second.get("a") == "1")
        #expect(try await second.get("b", .confirmed) == "2")
        try await second.set("a", "3")
        #expect(try await second.get("a") == "3")
        try await cluster.stopAll()
    }

    @Test func threeServersAgreeWhicheverIsAsked() async throws {
        var cluster = try TestCluster(of: 3)
        try await cluster.startAll()
        for (place, server) in cluster.servers.enumerated() {
            try await server.set("k\(place)", "v\(place)")
            for reader in cluster.servers {
                #expect(try await reader.get("k\(place)") == "v\(place)")
                #expect(try await reader.get("k\(place)", .confirmed) == "v\(place)")
            }
        }
        let leaders = cluster.servers.filter(\.replica.leadership.isLeader)
        #expect(leaders.count == 1)
        let known = cluster.servers.map { $0.replica.leadership.leader?.nodeName }
        #expect(known.allSatisfy { $0 == leaders.first?.settings.nodeName })
        try await cluster.stopAll()
    }

    @Test func theRestGoesOnWithoutTheLeader() async throws {
        var cluster = try TestCluster(of: 3)
        try await cluster.startAll()
        try await cluster.servers[0].set("before", "1")
        let leader = try #require(cluster.servers.firstIndex { $0.replica.leadership.isLeader })
        try await cluster.servers.remove(at: leader).stop()
        try await cluster.servers[0].set("after", "2")
        #expect(try await cluster.servers[1].get("before") == "1")
        #expect(try await cluster.servers[1].get("after") == "2")
        cluster.servers.append(try await cluster.make(leader))
        #expect(try await cluster.servers[2].get("after") == "2")
        try await cluster.stopAll()
    }

    @Test func allServersComeBackUnderNewAddresses() async throws {
        var cluster = try TestCluster(of: 3)
        try await cluster.startAll()
        try await cluster.servers[1].set("kept", "1")
        for server in cluster.servers { try await server.stop() }
        cluster.servers = []
        let fresh = try TestCluster(of: 3)
        for place in 0..<3 {
            cluster.change(place) { settings in
                settings.advertisedAddress = fresh.settings[place].advertisedAddress
                settings.listenPort = fresh.settings[place].listenPort
                settings.joinAddresses = fresh.settings[place].joinAddresses
            }
        }
        try await cluster.startAll()
        #expect(try await cluster.servers[2].get("kept") == "1")
        try await cluster.servers[0].set("kept", "2")
        #expect(try await cluster.servers[1].get("kept") == "2")
        try await cluster.stopAll()
    }

    @Test func aFurtherServerIsLetIn() async throws {
        var cluster = try TestCluster(of: 4, expecting: 3)
        for place in 0..<3 { cluster.servers.append(try await cluster.make(place)) }
        try await cluster.servers[0].set("a", "1")
        cluster.change(3) { $0.bootstrapExpect = 0 }
        let late = try await cluster.make(3)
        cluster.servers.append(late)
        #expect(try await late.get("a") == "1")
        try await late.set("b", "2")
        #expect(try await cluster.servers[0].get("b") == "2")
        let member = late.replica.leadership.servers.first { $0.nodeName == "s3" }
        #expect(member?.isVoter == false)
        try await cluster.stopAll()
    }

    @Test func leadershipIsHandedOver() async throws {
        var cluster = try TestCluster(of: 3)
        try await cluster.startAll()
        try await cluster.servers[0].set("a", "1")
        let target = try #require(cluster.servers.first { !$0.replica.leadership.isLeader })
        let id = ServerID.text(target.settings.id)
        let reply = await cluster.servers[0].ask(.transferLeadership(to: .id(id)))
        #expect(reply == .done)
        #expect(try await target.get("a", .confirmed) == "1")
        try await target.set("a", "2")
        #expect(try await cluster.servers[0].get("a") == "2")
        #expect(await target.ask(.transferLeadership(to: .id("nobody"))) == .notFound)
        try await cluster.stopAll()
    }

    @Test func aServerIsTakenOut() async throws {
        var cluster = try TestCluster(of: 3)
        try await cluster.startAll()
        try await cluster.servers[0].set("a", "1")
        let place = try #require(
            cluster.servers.firstIndex { !$0.replica.leadership.isLeader }
        )
        let gone = cluster.servers.remove(at: place)
        try await gone.stop()
        let id = ServerID.text(gone.settings.id)
        #expect(await cluster.servers[0].ask(.removeServer(.id(id))) == .done)
        #expect(await cluster.servers[0].ask(.removeServer(.id(id))) == .notFound)
        #expect(try await cluster.servers[0].get("a", .confirmed) == "1")
        #expect(cluster.servers[0].replica.leadership.servers.count == 2)
        try await cluster.stopAll()
    }
}
