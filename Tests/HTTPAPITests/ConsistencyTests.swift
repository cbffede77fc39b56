import Model
import NIOCore
import NIOEmbedded
import Replica
import Testing

@testable import HTTPAPI

/// Reads on a server that does not lead.
@Suite struct ConsistencyTests {
    private let log = FollowerLog()
    private let server: TestServer
    private let path = "/v1/health/service/web"

    init() {
        server = TestServer(log: log)
        server.register("web", port: 1)
    }

    private func answer(_ error: ProposalError? = nil) {
        log.answer(error)
        server.loop.run()
    }

    @Test func aStaleReadAsksNobodyAndTellsWhenTheLeaderWasHeard() throws {
        let connection = try server.connect()
        log.hear(log.servers[1], ago: .milliseconds(7))
        server.loop.advanceTime(by: .milliseconds(1))
        let reply = ParsedReply(try connection.get(path + "?stale"))
        #expect(reply.status == 200)
        #expect(reply.field("X-Consul-Lastcontact") == "7")
        #expect(reply.field("X-Consul-Knownleader") == "true")
        #expect(log.asked.isEmpty)
    }

    @Test func whatAPreparedStaleReplyTellsOfTheLeaderIsNotFrozen() throws {
        let connection = try server.connect()
        let length = try connection.get(path + "?stale").utf8.count
        #expect(server.state.prepared.bytes > 0)
        for contact in [3, 25, 1234, 9, 0, 17] {
            log.hear(log.servers[1], ago: .milliseconds(Int64(contact)))
            server.loop.advanceTime(by: .milliseconds(1))
            let text = try connection.get(path + "?stale")
            let reply = ParsedReply(text)
            #expect(reply.field("X-Consul-Lastcontact") == String(contact))
            #expect(reply.field("Date")?.hasSuffix("GMT") == true)
            #expect(reply.field("Date")?.utf8.count == 29)
            #expect(text.utf8.count == length - 1 + String(contact).utf8.count)
            #expect(reply.body.contains("\"Port\":1"))
            #expect(reply.field("Content-Length") == String(reply.body.utf8.count))
        }
        log.hear(nil, ago: .seconds(9))
        server.loop.advanceTime(by: .milliseconds(1))
        let lost = ParsedReply(try connection.get(path + "?stale"))
        #expect(lost.field("X-Consul-Knownleader") == "false")
        #expect(lost.field("X-Consul-Lastcontact") == "9000")
    }

    @Test(arguments: [("", ReadRequirement.current), ("?consistent", .confirmed)])
    func otherReadsWaitUntilTheyAreKnownToBeCurrent(
        _ options: String,
        _ requirement: ReadRequirement
    ) throws {
        let connection = try server.connect()
        // The second time the reply is prepared, and has to wait all the same.
        for port in [2, 3] {
            log.hear(log.servers[1], ago: .milliseconds(7))
            #expect(try connection.get(path + options) == "")
            #expect(log.asked == [requirement])
            server.register("web", port: port)
            answer()
            let reply = ParsedReply(try connection.received())
            #expect(reply.status == 200)
            #expect(reply.body.contains("\"Port\":\(port)"))
            #expect(reply.field("X-Consul-Lastcontact") == "0")
            #expect(reply.field("X-Consul-Knownleader") == "true")
        }
    }

    @Test func readsOfOneTurnShareOneQuestion() throws {
        let connections = try (0..<4).map { _ in try server.connect() }
        let head = ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
        for connection in connections.dropLast() {
            try connection.channel.writeInbound(head)
        }
        server.loop.run()
        #expect(log.asked == [.current])
        // A later one has a question of its own: the first may have been answered already.
        try connections[3].channel.writeInbound(head)
        server.loop.run()
        #expect(log.asked == [.current, .current])
        answer()
        for connection in connections {
            #expect(ParsedReply(try connection.received()).status == 200)
        }
    }

    @Test func withoutALeaderReadsAreRefused() throws {
        let connection = try server.connect()
        _ = try connection.get(path)
        answer(.noLeader)
        let reply = ParsedReply(try connection.received())
        #expect(reply.status == 500)
        #expect(reply.body == "No cluster leader")
        #expect(reply.field("X-Consul-Knownleader") == "false")
        #expect(ParsedReply(try connection.get(path + "?stale")).status == 200)
    }

    @Test func aReadThatMayNotBeStalerThanItIsBecomesADefaultRead() throws {
        let connection = try server.connect()
        for _ in 0..<2 {
            log.hear(log.servers[1], ago: .milliseconds(50))
            server.loop.advanceTime(by: .milliseconds(1))
            let near = ParsedReply(try connection.get("/v1/catalog/nodes?max_stale=100ms"))
            #expect(near.field("X-Consul-Effective-Consistency") == "stale")
            #expect(near.field("X-Consul-Lastcontact") == "50")
            log.hear(log.servers[1], ago: .milliseconds(101))
            server.loop.advanceTime(by: .milliseconds(1))
            #expect(try connection.get("/v1/catalog/nodes?max_stale=100ms") == "")
            #expect(log.asked == [.current])
            answer()
            let far = ParsedReply(try connection.received())
            #expect(far.field("X-Consul-Effective-Consistency") == "leader")
            #expect(far.field("X-Consul-Lastcontact") == "0")
        }
    }

    @Test func thoseWhoWaitAreGatedOncePerGroupAndTurn() throws {
        let connections = try (0..<5).map { _ in try server.connect() }
        let stale = ParsedReply(try connections[0].get(path + "?stale"))
        let index = try #require(stale.index)
        for connection in connections {
            #expect(try connection.get(path + "?index=\(index)&wait=60s") == "")
        }
        answer()
        #expect(server.state.parked.count == 5)
        server.register("web", port: 2)
        #expect(log.asked == [.current])
        #expect(try connections[0].received() == "")
        // What comes while the question is out is seen by all.
        server.register("web", port: 3)
        #expect(log.asked == [.current])
        answer()
        for connection in connections {
            let reply = ParsedReply(try connection.received())
            #expect(reply.body.contains("\"Port\":3"))
            #expect(reply.index.map { $0 > index } == true)
        }
        #expect(server.state.parked.count == 0)
    }

    @Test func whoWaitsWhenTheLeaderIsLostIsToldSo() throws {
        let connection = try server.connect()
        _ = try connection.get(path + "?index=99&wait=60s")
        answer()
        #expect(server.state.parked.count == 1)
        server.loop.advanceTime(by: .seconds(64))
        #expect(log.asked == [.current])
        answer(.noLeader)
        #expect(ParsedReply(try connection.received()).body == "No cluster leader")
        #expect(server.state.parked.count == 0)
    }

    @Test func whoGoesAwayWhileAQuestionIsOutIsForgotten() throws {
        let waiting = try server.connect()
        let gone = try server.connect()
        _ = try gone.get(path)
        _ = try waiting.get(path + "?index=99&wait=60s")
        answer()
        _ = try gone.received()
        _ = try gone.get(path)
        gone.channel.pipeline.fireChannelInactive()
        server.register("web", port: 2)
        waiting.channel.pipeline.fireChannelInactive()
        #expect(server.state.parked.count == 0)
        answer()
        #expect(try gone.received() == "")
        #expect(try waiting.received() == "")
    }

    @Test func transactionsThatOnlyReadAreReads() throws {
        let connection = try server.connect()
        let body = #"[{"KV":{"Verb":"get","Key":"a"}}]"#
        server.set("a", "1")
        #expect(try connection.put("/v1/txn", body) == "")
        #expect(log.asked == [.current])
        server.set("a", "2")
        answer()
        let current = ParsedReply(try connection.received())
        #expect(current.status == 200)
        #expect(current.body.contains("\"Value\":\"Mg==\""))
        #expect(current.field("X-Consul-Lastcontact") == "0")
        log.hear(log.servers[1], ago: .milliseconds(4))
        server.loop.advanceTime(by: .milliseconds(1))
        let stale = ParsedReply(try connection.put("/v1/txn?stale", body))
        #expect(stale.field("X-Consul-Lastcontact") == "4")
        _ = try connection.put("/v1/txn", body)
        answer(.noLeader)
        #expect(ParsedReply(try connection.received()).body == "No cluster leader")
    }
}
