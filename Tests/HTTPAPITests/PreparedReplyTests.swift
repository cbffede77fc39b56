import NIOCore
import NIOEmbedded
import Replica
import Testing

@testable import HTTPAPI

@Suite struct PreparedReplyTests {
    @Test func aRepeatedRequestIsAnsweredFromItsPreparedReply() throws {
        let server = TestServer()
        server.register("web")
        let connection = try server.connect()
        let first = try connection.get("/v1/health/service/web")
        #expect(server.state.prepared.bytes > 0)
        let head = ByteBuffer(string: "GET /v1/health/service/web HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(server.state.preparedReply(forHead: head) != nil)
        let second = try connection.get("/v1/health/service/web")
        #expect(ParsedReply(first).body == ParsedReply(second).body)
        #expect(ParsedReply(first).index == ParsedReply(second).index)
    }

    @Test func aPreparedReplyNeverHidesAnAcknowledgedWrite() throws {
        let server = TestServer()
        let connection = try server.connect()
        for round in 0..<20 {
            #expect(try ParsedReply(connection.put("/v1/kv/a", "\(round)")).body == "true")
            #expect(try ParsedReply(connection.get("/v1/kv/a?raw")).body == "\(round)")
            #expect(try ParsedReply(connection.get("/v1/kv/a?raw")).body == "\(round)")
        }
    }

    @Test(arguments: [
        "/v1/kv/none", "/v1/kv/none?recurse", "/v1/health/service/none",
        "/v1/health/state/critical", "/v1/catalog/node/none", "/v1/session/node/none",
    ])
    func theIndexOfWhatDoesNotExistNeverGoesBack(_ path: String) throws {
        let server = TestServer()
        let connection = try server.connect()
        let other = try server.connect()
        var last = 0
        for round in 0..<6 {
            server.set("some", "\(round)")
            server.register("web", node: "n\(round)")
            // A head that the table does not know, then one that it does.
            let fresh = try ParsedReply(other.get(path, "X-Round: \(round)\r\n")).index
            let known = try ParsedReply(connection.get(path)).index
            #expect(fresh == known)
            #expect((known ?? 0) >= last)
            last = known ?? 0
        }
    }

    @Test func unrelatedWritesLeaveAPreparedReplyAlone() throws {
        let server = TestServer()
        server.register("web")
        let connection = try server.connect()
        _ = try connection.get("/v1/health/service/web")
        let before = server.state.watches.count
        server.register("db", node: "n2")
        server.state.watches.synchronize()
        #expect(server.state.watches.count == before)
        server.register("web", port: 99)
        server.state.watches.synchronize()
        #expect(server.state.watches.count == before - 1)
        #expect(try connection.get("/v1/health/service/web").contains("\"Port\":99"))
    }

    @Test func bytesThatContinueAMessageAreNotTakenForAKnownRequest() throws {
        let server = TestServer()
        let known = "GET /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n"
        let read = "GET /v1/kv/a?raw HTTP/1.1\r\nHost: x\r\n\r\n"
        let connection = try server.connect()
        _ = try connection.send(read)
        _ = try connection.send(read)
        // The known head is the value of this key, in a read of its own.
        let head = "PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: \(read.utf8.count)\r\n\r\n"
        #expect(try connection.send(head) == "")
        #expect(try ParsedReply(connection.send(read)).body == "true")
        #expect(try ParsedReply(connection.send(read)).body == read)
        // And here it ends a field of an unfinished head.
        #expect(try connection.send("GET /v1/kv/b HTTP/1.1\r\nHost: x\r\nX-A: ") == "")
        let text = try connection.send(known)
        #expect(text.ranges(of: "HTTP/1.1 ").count == 1)
        #expect(!text.contains("8300"))
    }

    @Test func preparedRepliesAreBounded() throws {
        var settings = HTTPSettings()
        settings.limits.preparedRepliesPerLoop = 8
        settings.limits.preparedBytesPerLoop = 2_000
        let server = TestServer(settings: settings)
        let connection = try server.connect()
        for number in 0..<100 {
            _ = try connection.get("/v1/kv/key-\(number)")
            #expect(server.state.prepared.bytes <= 2_000)
        }
        #expect(server.state.watches.count <= 8)
    }

    @Test func theDateOfAPreparedReplyIsRenewed() throws {
        var date = HTTPDate()
        date.update()
        let renderer = ReplyRenderer(settings: HTTPSettings(), allocator: ByteBufferAllocator())
        let reply = Reply.json(Array("{}".utf8))
        var rendered = renderer.render(reply, ReplyVariant(), date: HTTPDate())
        #expect(rendered.second == -1)
        rendered = renderer.render(reply, ReplyVariant(), date: date)
        let text = String(buffer: rendered.buffer)
        let place = String(decoding: date.text, as: UTF8.self)
        #expect(text.contains("Date: \(place)\r\n"))
        let start = text.utf8.index(text.utf8.startIndex, offsetBy: rendered.dateOffset)
        #expect(text[start...].hasPrefix(place))
    }
}
