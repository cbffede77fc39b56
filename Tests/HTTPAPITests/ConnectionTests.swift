import NIOCore
import NIOEmbedded
import RandomSupport
import Testing

@testable import HTTPAPI

@Suite struct ConnectionTests {
    @Test func pipelinedRequestsAreAnsweredInOrder() throws {
        let connection = try TestServer().connect()
        let put = "PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1"
        let get = "GET /v1/kv/a?raw HTTP/1.1\r\nHost: x\r\n\r\n"
        let leader = "GET /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n"
        let text = try connection.send(put + get + leader + get)
        let replies = text.ranges(of: "HTTP/1.1 200 OK")
        #expect(replies.count == 4)
        let bodies = text.split(separator: "\r\n\r\n").map { $0.prefix(4) }
        #expect(bodies[1] == "true")
        #expect(bodies[2].first == "1")
        #expect(bodies[3] == "\"127")
        #expect(bodies[4].first == "1")
    }

    @Test func aRequestMayComeByteByByte() throws {
        let server = TestServer()
        let request = "PUT /v1/kv/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nvalue"
        let connection = try server.connect()
        var text = ""
        for byte in request.utf8 { text += try connection.send(bytes: [byte]) }
        #expect(ParsedReply(text).body == "true")
        #expect(try ParsedReply(connection.get("/v1/kv/slow?raw")).body == "value")
    }

    @Test func aChunkedBodyIsPutTogether() throws {
        let connection = try TestServer().connect()
        let head = "PUT /v1/kv/c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(
            try ParsedReply(connection.send(head + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")).status
                == 200
        )
        #expect(try ParsedReply(connection.get("/v1/kv/c?raw")).body == "abcde")
    }

    @Test func theConnectionStaysOrEndsAsTheClientAsks() throws {
        let server = TestServer()
        let stays = try server.connect()
        #expect(try ParsedReply(stays.get("/v1/status/leader")).field("Connection") == nil)
        #expect(stays.isOpen)
        let ends = try server.connect()
        let reply = try ParsedReply(ends.get("/v1/status/leader", "Connection: close\r\n"))
        #expect(reply.field("Connection") == "close")
        let old = try server.connect()
        let text = try old.send("GET /v1/status/leader HTTP/1.0\r\n\r\n")
        #expect(text.hasPrefix("HTTP/1.0 200 OK\r\n"))
    }

    @Test func aClientThatWaitsIsToldToGoOn() throws {
        let connection = try TestServer().connect()
        let fields = "Content-Length: 5\r\nExpect: 100-continue\r\n"
        let text = try connection.send("PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\n\(fields)\r\n")
        #expect(text == "HTTP/1.1 100 Continue\r\n\r\n")
        #expect(try ParsedReply(connection.send("value")).body == "true")
    }

    @Test func aBodyThatIsTooLargeIsRefusedBeforeItComes() throws {
        var settings = HTTPSettings()
        settings.limits.keyValueBytes = 10
        let connection = try TestServer(settings: settings).connect()
        let fields = "Content-Length: 11\r\nExpect: 100-continue\r\n"
        let reply = try ParsedReply(
            connection.send("PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\n\(fields)\r\n")
        )
        #expect(reply.status == 413)
        #expect(reply.field("Connection") == "close")
        #expect(reply.body.hasPrefix("Request body(11 bytes) too large, max size: 10 bytes."))
    }

    @Test func aChunkedBodyThatGrowsTooLargeIsRefused() throws {
        var settings = HTTPSettings()
        settings.limits.keyValueBytes = 10
        let connection = try TestServer(settings: settings).connect()
        let head = "PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        let reply = try ParsedReply(connection.send(head + "b\r\n01234567890\r\n"))
        #expect(reply.status == 413)
    }

    @Test(arguments: [
        ("garbage\r\n\r\n", 400), ("GET /v1/status/leader HTTP/1.1\r\n\r\n", 400),
        ("GET /v1/status/leader HTTP/3.7\r\nHost: x\r\n\r\n", 400),
        ("GET /v1/kv/%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n", 400),
        ("GET /v1/kv/a%01 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("BREW /v1/kv/a HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET /v1/health/service/web?a=%zz HTTP/1.1\r\nHost: x\r\n\r\n", 500),
    ])
    func badRequestsGetTheirStatus(_ request: String, _ status: Int) throws {
        let reply = try ParsedReply(TestServer().connect().send(request))
        #expect(reply.status == status)
    }

    @Test func tooManyOrTooLongHeaderFieldsAreRefused() throws {
        let server = TestServer()
        let long = "X-A: " + String(repeating: "a", count: 70_000) + "\r\n"
        #expect(try ParsedReply(server.connect().get("/v1/status/leader", long)).status == 431)
        let many = (0..<200).map { "X-\($0): a\r\n" }.joined()
        #expect(try ParsedReply(server.connect().get("/v1/status/leader", many)).status == 431)
    }

    @Test func anAnswerWithoutBodyTellsItsLength() throws {
        let connection = try TestServer().connect()
        let text = try connection.send("HEAD /v1/catalog/nodes HTTP/1.1\r\nHost: x\r\n\r\n")
        let reply = ParsedReply(text)
        #expect(reply.status == 405)
        #expect(reply.field("Content-Length") == "23")
        #expect(reply.body.isEmpty)
    }

    @Test func randomBytesNeverStopTheServer() throws {
        let server = TestServer()
        var generator = SeededGenerator(seed: 7)
        let seeds = [
            "GET /v1/kv/a HTTP/1.1\r\nHost: x\r\n\r\n",
            "PUT /v1/txn HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n"
                + "[{\"KV\":{\"Verb\":\"x\"}}]",
            "PUT /v1/catalog/register HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n"
                + "{\"Node\":\"n\"}",
        ]
        for round in 0..<600 {
            let connection = try server.connect()
            var bytes = Array(seeds[round % seeds.count].utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let position = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[position] = UInt8.random(in: 0...255, using: &generator)
            }
            bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator) / 3)
            _ = try connection.send(bytes: bytes)
        }
        #expect(try ParsedReply(server.connect().get("/v1/status/leader")).status == 200)
    }
}
