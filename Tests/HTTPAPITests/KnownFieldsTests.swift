import NIOCore
import RandomSupport
import Replica
import Testing

@testable import HTTPAPI

/// Requests whose header fields the loop has seen before, against those that are always decoded.
@Suite struct KnownFieldsTests {
    /// Two servers that get the same requests; only the first may know their fields.
    private struct Pair {
        let knowing = TestServer()
        let decoding: TestServer

        init() {
            var settings = HTTPSettings()
            settings.limits.knownFieldBytes = 0
            decoding = TestServer(settings: settings)
        }

        /// Sends both the same on connections of their own, and gives both answers without dates.
        func answers(_ request: [UInt8]) throws -> (String, String) {
            let both = (try knowing.connect(), try decoding.connect())
            return (
                undated(try both.0.send(bytes: request)) + (both.0.isOpen ? "" : " closed"),
                undated(try both.1.send(bytes: request)) + (both.1.isOpen ? "" : " closed")
            )
        }

        private func undated(_ reply: String) -> String {
            reply.split(separator: "\r\n", omittingEmptySubsequences: false)
                .filter { !$0.hasPrefix("Date: ") }.joined(separator: "\n")
        }
    }

    private func isKnown(_ text: String, to server: TestServer) -> Bool {
        server.state.knownFields.request(in: ByteBuffer(string: text), expected: nil) != nil
    }

    @Test func fieldsThatCameTwiceAreKnownWhateverTheTargetIs() throws {
        let server = TestServer()
        let connection = try server.connect()
        func put(_ key: String) -> String {
            "PUT /v1/kv/\(key) HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nv"
        }
        #expect(!isKnown(put("a"), to: server))
        _ = try connection.send(put("a"))
        _ = try connection.send(put("b"))
        #expect(isKnown(put("c"), to: server))
        #expect(try ParsedReply(connection.send(put("c"))).body == "true")
        #expect(try ParsedReply(connection.get("/v1/kv/c?raw")).body == "v")
        // A body that is not all there, or more than one request, is no whole request.
        #expect(!isKnown(String(put("c").dropLast()), to: server))
        #expect(!isKnown(put("c") + "x", to: server))
        #expect(!isKnown(put("c") + put("d"), to: server))
    }

    @Test func aLoopKnowsOnlySoManyFields() throws {
        var settings = HTTPSettings()
        settings.limits.knownFieldBlocksPerLoop = 4
        let server = TestServer(settings: settings)
        let connection = try server.connect()
        let requests = (0..<20).map { number in
            "GET /v1/status/leader HTTP/1.1\r\nHost: x\r\nX: \(number)\r\n\r\n"
        }
        for request in requests {
            for _ in 0..<3 { _ = try connection.send(request) }
        }
        #expect(requests.count { isKnown($0, to: server) } <= 4)
    }

    @Test(arguments: [
        "GET /v1/status/leader HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /v1/status/leader HTTP/1.1\r\n\r\n",
        "GET /v1/status/leader HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET /v1/status/leader HTTP/1.0\r\nHost: x\r\n\r\n",
        "HEAD /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n",
        "OPTIONS /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n",
        "PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nv\r\n0\r\n\r\n",
        "PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nv",
        "PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nv",
        "PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\nX: y\r\n\r\nv",
        "\r\nPUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nv",
    ])
    func fieldsThatSayMoreThanALengthAreAlwaysDecoded(_ request: String) throws {
        let pair = Pair()
        for _ in 0..<4 {
            let (knowing, decoding) = try pair.answers(Array(request.utf8))
            #expect(knowing == decoding)
        }
        #expect(!isKnown(request, to: pair.knowing))
    }

    @Test(arguments: [
        "/v1/kv/a?pretty", "/v1/kv/a?pretty&raw", "/v1/kv/a%20b", "/v1/kv//a", "/v1/kv/../a",
        "/v1/kv/a?cas=x", "/v1/none", "/v1/kv", "/", "/v1/kv/a#b", "/v1/kv/a{b}", "/v1/kv/\u{e9}",
        "/v1/kv/a b", "http://x/v1/kv/a", "*", "", "/v1/kv/a?dc=other", "/v1/kv/?recurse",
    ])
    func everyTargetIsAnsweredAlike(_ target: String) throws {
        let pair = Pair()
        for method in ["PUT", "GET", "DELETE", "POST"] {
            let plain = "\(method) /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nv"
            let request = "\(method) \(target) HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nv"
            for text in [plain, plain, plain, request, request, plain] {
                let (knowing, decoding) = try pair.answers(Array(text.utf8))
                #expect(knowing == decoding)
            }
        }
    }

    @Test func aBodyOverItsLimitIsRefusedAlike() throws {
        let pair = Pair()
        let length = HTTPLimits().keyValueBytes + 1
        let body = String(repeating: "v", count: length)
        let fields = "HTTP/1.1\r\nHost: x\r\nContent-Length: \(length)\r\n\r\n" + body
        for target in ["/v1/agent/none", "/v1/agent/none", "/v1/kv/a"] {
            let (knowing, decoding) = try pair.answers(Array("PUT \(target) \(fields)".utf8))
            #expect(knowing == decoding)
        }
    }

    @Test func changedBytesAreAnsweredAlike() throws {
        let pair = Pair()
        var generator = SeededGenerator(seed: 7)
        let whole = Array(
            "PUT /v1/kv/abc?flags=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc".utf8
        )
        for _ in 0..<3 { _ = try pair.answers(whole) }
        #expect(isKnown(String(decoding: whole, as: UTF8.self), to: pair.knowing))
        for _ in 0..<3_000 {
            var request = whole
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                let place = Int.random(in: 0..<request.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: request[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: request.remove(at: place)
                default: request.insert(request[place], at: place)
                }
            }
            let (knowing, decoding) = try pair.answers(request)
            #expect(knowing == decoding, "\(String(decoding: request, as: UTF8.self))")
        }
    }
}
