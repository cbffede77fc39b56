import MusterAPI
import Testing

@Suite(.live, .timeLimit(.minutes(2))) struct ClusterLiveTests {
    @Test func theClusterDescribesItself() async throws {
        try await Live.withClient { client in
            let leader = try await client.status.leader()
            #expect(leader.contains(":"))
            #expect(try await client.status.peers().contains(leader))
            let identity = try await client.agent.identity()
            let members = try await client.agent.members()
            #expect(members.contains { $0.name == identity.member?.name })
            #expect(try await client.catalog.datacenters() == ["dc1"])
            let servers = try await client.operations.raftConfiguration().servers
            #expect(servers.count == 1)
            #expect(servers.first?.leader == true)
            _ = try await client.operations.autopilotConfiguration()
            // Consul knows nobody's health in its first seconds.
            let health = try await client.operations.autopilotHealth()
            #expect(health.servers.count <= 1)
            #expect(try await client.agent.metrics()["Gauges"] != nil)
        }
    }

    @Test func coordinatesAreListedByNodeAndDatacenter() async throws {
        try await Live.withClient { client in
            _ = try await client.coordinate.datacenters()
            _ = try await client.coordinate.nodes()
            let unknown = Live.unique("nobody")
            #expect(try await client.coordinate.node(unknown).value.isEmpty)
        }
    }

    @Test func anEventIsSeenByItsAgent() async throws {
        try await Live.withClient { client in
            let name = Live.unique("deploy")
            let fired = try await client.event.fire(name, payload: Array("now".utf8))
            #expect(!fired.id.isEmpty)
            let list = try await Live.eventually {
                try await client.event.list(name: name, options: $0)
            } until: {
                !$0.isEmpty
            }
            #expect(list.value.map(\.id) == [fired.id])
            #expect(list.value.first?.payload == Array("now".utf8))
        }
    }

    @Test func aSnapshotIsSavedPieceByPiece() async throws {
        try await Live.withClient { client in
            try await client.keyValue.put(Live.unique("snapshot"), "1")
            var bytes: [UInt8] = []
            let response = try await client.snapshot.save { bytes += $0 }
            #expect(response.index > 0)
            // gzip, RFC 1952 §2.3.1.
            #expect(bytes.prefix(2) == [0x1f, 0x8b])
            #expect(bytes.count > 100)
        }
    }

    @Test func aBrokenSnapshotIsRefusedAndNothingChanges() async throws {
        try await Live.withClient { client in
            let key = Live.unique("kept")
            try await client.keyValue.put(key, "1")
            let pieces = AsyncStream<[UInt8]> { continuation in
                continuation.yield(Array("no archive".utf8))
                continuation.finish()
            }
            let error = await #expect(throws: MusterError.self) {
                try await client.snapshot.restore(pieces, length: 10)
            }
            #expect(error?.status.map { $0 >= 400 } == true)
            #expect(try await client.keyValue.get(key).value != nil)
            try await client.keyValue.delete(key)
        }
    }
}
