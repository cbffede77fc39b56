import Model
import NIOCore
import NIOEmbedded
import Replica
import Testing

@testable import HTTPAPI

/// What operators ask and order on a server that does not lead.
@Suite struct ServerRoutesTests {
    private let log = FollowerLog()
    private let server: TestServer

    init() {
        server = TestServer(log: log)
    }

    private func health(_ id: Int, isHealthy: Bool = true) -> ServerHealth {
        ServerHealth(
            server: log.servers[id - 1],
            lastContact: isHealthy ? .milliseconds(12) : nil,
            lastTerm: isHealthy ? 3 : 0,
            lastIndex: LogIndex(rawValue: isHealthy ? 9 : 0),
            isLeader: id == 2,
            isHealthy: isHealthy,
            stableSince: Timestamp(nanosecondsSinceEpoch: 1_700_000_000_000_000_000)
        )
    }

    private func delete(_ connection: TestConnection, _ query: String) throws -> ParsedReply {
        ParsedReply(
            try connection.send(
                "DELETE /v1/operator/raft/peer?\(query) HTTP/1.1\r\nHost: x\r\n\r\n"
            )
        )
    }

    private func transfer(_ query: String) throws -> ParsedReply {
        ParsedReply(
            try server.connect().send(
                "POST /v1/operator/raft/transfer-leader\(query) HTTP/1.1\r\nHost: x\r\n"
                    + "Content-Length: 0\r\n\r\n"
            )
        )
    }

    @Test func theConfigurationIsReadOnAnyServer() throws {
        let connection = try server.connect()
        let path = "/v1/operator/raft/configuration"
        let stale = ParsedReply(try connection.get(path + "?stale"))
        let leader = #"{"ID":"s2","Node":"n2","Address":"10.0.0.2:8300","Leader":true,"#
        #expect(stale.body.contains(leader + #""ProtocolVersion":"3","Voter":true}"#))
        #expect(stale.body.contains(#""Leader":false,"ProtocolVersion":"3","Voter":false}"#))
        #expect(try connection.get(path) == "")
        #expect(log.asked == [.current])
        log.answer()
        server.loop.run()
        #expect(ParsedReply(try connection.received()).body == stale.body)
        _ = try connection.get(path)
        log.answer(.noLeader)
        server.loop.run()
        let refused = ParsedReply(try connection.received())
        #expect(refused.status == 500)
        #expect(refused.body == "No cluster leader")
    }

    @Test func theLeaderIsAskedHowTheServersAre() throws {
        log.leaderReplies(.health([health(1), health(2), health(3)]))
        let connection = try server.connect()
        let well = ParsedReply(try connection.get("/v1/operator/autopilot/health"))
        #expect(well.status == 200)
        #expect(log.requests == [.serverHealth])
        let start = #"{"Healthy":true,"FailureTolerance":0,"Servers":[{"ID":"s1","#
        #expect(well.body.hasPrefix(start))
        let progress = #""LastContact":"12ms","LastTerm":3,"LastIndex":9,"Healthy":true,"#
        #expect(well.body.contains(progress))
        #expect(well.body.contains(#""StableSince":"2023-11-14T22:13:20Z""#))
        log.leaderReplies(.health([health(1, isHealthy: false), health(2)]))
        let ill = ParsedReply(try connection.get("/v1/operator/autopilot/health"))
        #expect(ill.status == 429)
        #expect(ill.field("Content-Type") == "text/plain; charset=utf-8")
        #expect(ill.body.contains(#""SerfStatus":"failed""#))
        #expect(ill.body.contains(#""LastContact":"-1ns","LastTerm":0,"LastIndex":0"#))
        let state = ParsedReply(try connection.get("/v1/operator/autopilot/state"))
        #expect(state.status == 200)
        #expect(state.body.contains(#""s1":{"ID":"s1","Name":"n1","Address":"10.0.0.1:8300""#))
        #expect(state.body.hasSuffix(#""Leader":"s2","Voters":["s1","s2"]}"#))
        log.leaderReplies(.noLeader)
        let lost = ParsedReply(try connection.get("/v1/operator/autopilot/health"))
        #expect(lost.status == 500)
        #expect(lost.body == "No cluster leader")
    }

    @Test func aServerIsRemovedByItsIDOrItsAddress() throws {
        let connection = try server.connect()
        log.leaderReplies(.done)
        let byID = try delete(connection, "id=s3")
        #expect(byID.status == 200)
        #expect(byID.body == "")
        #expect(try delete(connection, "address=10.0.0.1:8300").status == 200)
        #expect(
            log.requests == [
                .removeServer(.id("s3")), .removeServer(.address("10.0.0.1:8300")),
            ]
        )
        log.leaderReplies(.notFound)
        let unknown = try delete(connection, "id=abc")
        #expect(unknown.status == 500)
        #expect(unknown.body == "id \"abc\" was not found in the Raft configuration")
        log.leaderReplies(.failed("not now"))
        #expect(try delete(connection, "id=s3").body == "not now")
    }

    @Test func leadershipIsHandedOver() throws {
        log.leaderReplies(.done)
        #expect(try transfer("").body == #"{"Success":true}"#)
        #expect(try transfer("?id=s1").body == #"{"Success":true}"#)
        #expect(
            log.requests == [
                .transferLeadership(to: nil), .transferLeadership(to: .id("s1")),
            ]
        )
        log.leaderReplies(.notFound)
        let unknown = try transfer("?id=abc")
        #expect(unknown.status == 500)
        #expect(unknown.body == "id \"abc\" was not found in the Raft configuration")
    }

    @Test func theOnlyVoterStays() throws {
        let reply = try delete(TestServer().connect(), "id=s1")
        #expect(reply.status == 500)
        #expect(reply.body == "need at least one voter in configuration: {[]}")
    }
}
