import NIOCore
import NIOEmbedded
import Replica
import Testing

@testable import HTTPAPI

@Suite struct BlockingQueryTests {
    private func index(_ connection: TestConnection, _ path: String) throws -> Int {
        try #require(try ParsedReply(connection.get(path)).index)
    }

    @Test func aCommitAnswersThoseWhoWaitForIt() throws {
        let server = TestServer()
        server.register("web", port: 1)
        let connections = try (0..<5).map { _ in try server.connect() }
        let index = try index(connections[0], "/v1/health/service/web")
        for connection in connections {
            #expect(try connection.get("/v1/health/service/web?index=\(index)&wait=60s") == "")
        }
        #expect(server.state.parked.count == 5)
        server.register("web", port: 2)
        for connection in connections {
            let reply = try ParsedReply(connection.received())
            #expect(reply.status == 200)
            #expect(reply.index.map { $0 > index } == true)
            #expect(reply.body.contains("\"Port\":2"))
        }
        #expect(server.state.parked.count == 0)
        #expect(server.state.watches.count == 0)
    }

    @Test func otherServicesWakeNobody() throws {
        let server = TestServer()
        server.register("web")
        let connection = try server.connect()
        let index = try index(connection, "/v1/health/service/web")
        _ = try connection.get("/v1/health/service/web?index=\(index)&wait=60s")
        server.register("db", node: "n2")
        server.set("a")
        #expect(try connection.received() == "")
        #expect(server.state.parked.count == 1)
    }

    @Test func timeGivesWhatIsThere() throws {
        let server = TestServer()
        server.set("a", "1")
        let connection = try server.connect()
        let index = try index(connection, "/v1/kv/a")
        _ = try connection.get("/v1/kv/a?index=\(index)&wait=16s")
        server.loop.advanceTime(by: .seconds(15))
        #expect(try connection.received() == "")
        // The jitter adds up to a sixteenth.
        server.loop.advanceTime(by: .seconds(3))
        let reply = try ParsedReply(connection.received())
        #expect(reply.status == 200)
        #expect(reply.index == index)
        #expect(server.state.parked.count == 0)
    }

    @Test func anIndexFromBeforeAnswersAtOnce() throws {
        let server = TestServer()
        server.set("a", "1")
        let connection = try server.connect()
        #expect(try ParsedReply(connection.get("/v1/kv/a?index=1&wait=60s")).status == 200)
        #expect(try ParsedReply(connection.get("/v1/kv/a?index=0&wait=60s")).status == 200)
    }

    @Test func aKeyThatAppearsWakesThoseWhoWaitForItAndForItsPrefix() throws {
        let server = TestServer()
        let key = try server.connect()
        let prefix = try server.connect()
        let other = try server.connect()
        _ = try key.get("/v1/kv/a/b?index=1&wait=60s")
        _ = try prefix.get("/v1/kv/a/?recurse&index=1&wait=60s")
        _ = try other.get("/v1/kv/b?index=1&wait=60s")
        server.set("a/b", "x")
        #expect(try ParsedReply(key.received()).status == 200)
        #expect(try ParsedReply(prefix.received()).status == 200)
        #expect(try other.received() == "")
    }

    @Test func aClosedConnectionLeavesNothingBehind() throws {
        let server = TestServer()
        let connection = try server.connect()
        _ = try connection.get("/v1/kv/a?index=100&wait=60s")
        #expect(server.state.parked.count == 1)
        try connection.channel.close().wait()
        #expect(server.state.parked.count == 0)
        #expect(server.state.watches.count == 0)
        server.set("a")
    }

    @Test func aQueryOverTheLimitIsAnsweredAtOnce() throws {
        var settings = HTTPSettings()
        settings.limits.parkedQueriesPerLoop = 1
        let server = TestServer(settings: settings)
        let first = try server.connect()
        let second = try server.connect()
        #expect(try first.get("/v1/kv/a?index=100&wait=60s") == "")
        #expect(try ParsedReply(second.get("/v1/kv/a?index=100&wait=60s")).status == 404)
    }

    @Test func whatFollowsAParkedQueryWaitsForIt() throws {
        let server = TestServer()
        let connection = try server.connect()
        _ = try connection.get("/v1/kv/a?index=100&wait=60s")
        #expect(try connection.get("/v1/status/leader") == "")
        server.loop.advanceTime(by: .seconds(70))
        let text = try connection.received()
        #expect(text.hasPrefix("HTTP/1.1 404"))
        #expect(text.contains("\"127.0.0.1:8300\""))
    }
}
