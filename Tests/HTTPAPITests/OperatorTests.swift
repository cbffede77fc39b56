import NIOHTTP1
import Testing

@testable import HTTPAPI

@Suite struct OperatorTests {
    @Test(arguments: [
        "query", "query/abc/execute", "connect/ca/roots", "connect/intentions/match", "config/a/b",
        "operator/keyring", "discovery-chain/web", "agent/monitor",
        "agent/connect/ca/leaf/web",
    ])
    func anEndpointThatIsNotServedSaysSoInsteadOfNotFound(_ path: String) throws {
        let reply = ParsedReply(try TestServer().connect().get("/v1/" + path))
        #expect(reply.status == 501)
        #expect(reply.body.hasSuffix(": not served by this version"))
    }

    @Test func autopilotSettingsAreReplacedAndWhatIsLeftOutIsZero() throws {
        let path = "/v1/operator/autopilot/configuration"
        let connection = try TestServer().connect()
        let written = ParsedReply(
            try connection.put(path, #"{"CleanupDeadServers":true,"LastContactThreshold":"1s"}"#)
        )
        #expect(written.status == 200)
        #expect(written.body == "true")
        let read = ParsedReply(try connection.get(path)).body
        #expect(read.contains(#""CleanupDeadServers":true,"LastContactThreshold":"1s""#))
        #expect(read.contains(#""MaxTrailingLogs":0"#))
        #expect(ParsedReply(try connection.put(path + "?cas=1000", "{}")).body == "false")
        #expect(ParsedReply(try connection.get(path)).body == read)
    }

    @Test(arguments: [
        ("", "EOF"), (#"{"Foo":1}"#, "json: unknown field \"Foo\""),
        (#"{"LastContactThreshold":"zz"}"#, "time: invalid duration \"zz\""),
    ])
    func autopilotSettingsThatCannotBeReadAreRefused(
        _ body: String,
        _ reason: String
    ) throws {
        let path = "/v1/operator/autopilot/configuration"
        let reply = ParsedReply(try TestServer().connect().put(path, body))
        #expect(reply.status == 400)
        #expect(reply.body == "Bad request: Error parsing autopilot config: " + reason)
    }

    @Test func anIndexThatIsNoNumberIsRefused() throws {
        let path = "/v1/operator/autopilot/configuration?cas=abc"
        let reply = ParsedReply(try TestServer().connect().put(path, "{}"))
        #expect(reply.status == 400)
        let reason = #"strconv.ParseUint: parsing "abc": invalid syntax"#
        #expect(reply.body == "Bad request: Error parsing cas value: " + reason)
    }

    @Test func aNodeWithoutCoordinateHasAnIndexForClientsThatAcceptGzip() throws {
        let connection = try TestServer().connect()
        let path = "/v1/coordinate/node/none"
        let plain = try connection.get(path)
        let compressed = try connection.get(path, "Accept-Encoding: gzip\r\n")
        #expect(ParsedReply(plain).field("X-Consul-Index") == nil)
        #expect(ParsedReply(compressed).field("X-Consul-Index") != nil)
        #expect(ParsedReply(compressed).status == 404)
    }
}
