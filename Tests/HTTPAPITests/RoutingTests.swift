import NIOCore
import NIOHTTP1
import RandomSupport
import Testing
import Wire

@testable import HTTPAPI

@Suite struct RoutingTests {
    @Test func parametersKeepTheirOrderAndMayRepeat() {
        let query = QueryParameters(
            parsing: Substring("tag=a&tag=b+c;passing&x=%C3%BC&=&y=1=2").utf8
        )
        #expect(query.all("tag") == ["a", "b c"])
        #expect(query["passing"] == "")
        #expect(query["x"] == "ü")
        #expect(query["y"] == "1=2")
        #expect(!query.isBroken)
        #expect(QueryParameters(parsing: Substring("a=%zz").utf8).isBroken)
    }

    @Test func aParameterIsFoundWithoutReadingTheOthers() {
        #expect(QueryParameters.mentions("pretty", in: "/v1/kv/a?x=1&pretty"))
        #expect(QueryParameters.mentions("pretty", in: "/v1/kv/a?pretty=0"))
        #expect(!QueryParameters.mentions("pretty", in: "/v1/kv/pretty?x=pretty"))
    }

    @Test(arguments: [
        ("/v1//kv/a", "/v1/kv/a"), ("/v1/kv/../kv/a", "/v1/kv/a"), ("/v1/kv/a/./b", "/v1/kv/a/b"),
        ("//", "/"), ("/..", "/"), ("/v1/kv/a//", "/v1/kv/a/"),
    ])
    func pathsThatAreNotCleanAreRedirected(_ path: String, _ clean: String) throws {
        let text = try TestServer().connect().get(path + "?x=1")
        let reply = ParsedReply(text)
        #expect(reply.status == 301)
        #expect(reply.field("Location") == clean + "?x=1")
    }

    @Test func theLongestPrefixWins() {
        var table = RouteTable()
        let handler: Handler = { request, _ in .reply(.text(.ok, request.rest)) }
        table.add(.GET, "/a/", .open, handler)
        table.add(.GET, "/a/b/", .open, handler)
        table.add(.GET, "/a/b", .open, handler)
        func match(_ path: String) -> String {
            switch table.match(path) {
            case .route(let route, let rest): route.pattern + "|" + rest
            case .needsSlash: "slash"
            case .nothing: "nothing"
            }
        }
        #expect(match("/a/b/c/d") == "/a/b/|c/d")
        #expect(match("/a/c/d") == "/a/|c/d")
        #expect(match("/a/b") == "/a/b|")
        #expect(match("/a") == "slash")
        #expect(match("/b") == "nothing")
        let deep = String(repeating: "c/", count: 30_000)
        #expect(match("/a/" + deep) == "/a/|" + deep)
    }

    @Test func aTokenIsTakenFromEveryAcceptedPlace() {
        func token(_ target: String, _ headers: HTTPHeaders) -> String {
            let query = QueryParameters(parsing: Substring(target).utf8)
            return Request(
                method: .GET,
                target: "/",
                path: "/",
                rest: "",
                query: query,
                headers: headers,
                body: ByteBuffer()
            ).token
        }
        #expect(token("token=a", ["X-Consul-Token": "b"]) == "a")
        #expect(token("", ["X-Consul-Token": "b", "Authorization": "Bearer c"]) == "b")
        #expect(token("", ["Authorization": "bearer  c"]) == "c")
        #expect(token("", ["Authorization": "Basic c"]) == "")
    }

    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_793_664_000, "Tue, 03 Nov 2026 00:00:00 GMT"),
        (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
    ])
    func datesAreWrittenAsHTTPHasThem(_ second: Int, _ text: String) {
        #expect(String(decoding: HTTPDate.format(second), as: UTF8.self) == text)
    }

    @Test(arguments: [
        ("gzip", true), ("deflate, gzip;q=0.5", true), ("gzip;q=0", false), ("*", false),
        ("x-gzip", false), ("", false), ("br , GZIP ", true),
    ])
    func gzipIsUsedWhenItIsAccepted(_ field: String, _ isAccepted: Bool) {
        #expect(Gzip.isAccepted(by: field) == isAccepted)
    }

    @Test func compressedBodiesAreGzipAndDoNotDependOnThoseBefore() throws {
        let body = Array(repeating: UInt8(ascii: "a"), count: 10_000)
        let large = Array(repeating: UInt8(ascii: "b"), count: 1_000_000)
        let compressor = GzipCompressor()
        let first = try #require(compressor.compress(body))
        #expect(first.count < 200)
        #expect(first.prefix(3) == [0x1F, 0x8B, 8])
        // The last four bytes are the length of what went in.
        #expect(first.suffix(4) == [0x10, 0x27, 0, 0])
        #expect(try #require(compressor.compress(large)).count < 10_000)
        #expect(compressor.compress(body) == first)
        #expect(GzipCompressor().compress(body) == first)
    }

    @Test func malformedIdentifiersSayWhy() {
        #expect(UUIDText.lookupFlaw(of: "x") == "UUID must be 36 characters")
        #expect(
            UUIDText.lookupFlaw(of: "99999999-9999-9999-9999-99999999999z")
                == "Invalid UUID: encoding/hex: invalid byte: U+007A 'z'"
        )
        #expect(UUIDText.lookupFlaw(of: UUIDText.random()) == nil)
        #expect(UUIDText.flaw(of: "not-a-uuid") == "uuid string is wrong length")
    }

    @Test func deadlinesComeInOrderWhateverIsRemoved() {
        var generator = SeededGenerator(seed: 3)
        var heap = DeadlineHeap()
        var elements: [DeadlineHeap.Element] = []
        for _ in 0..<500 {
            let deadline = NIODeadline.uptimeNanoseconds(.random(in: 0...1000, using: &generator))
            let element = DeadlineHeap.Element(deadline: deadline)
            heap.insert(element)
            elements.append(element)
        }
        elements.shuffle(using: &generator)
        for element in elements.prefix(200) { heap.remove(element) }
        let expected = elements.dropFirst(200).map(\.deadline).sorted()
        var found: [NIODeadline] = []
        while let first = heap.first {
            found.append(first.deadline)
            heap.remove(first)
        }
        #expect(found == expected)
    }

    @Test func connectionsAreCountedPerClientAndInAll() {
        var limits = HTTPLimits()
        limits.connections = 3
        limits.connectionsPerClient = 2
        let census = ConnectionCensus(limits: limits)
        #expect(census.enter("a"))
        #expect(census.enter("a"))
        #expect(!census.enter("a"))
        #expect(census.enter("b"))
        #expect(!census.enter("c"))
        census.leave("a")
        #expect(census.enter(nil))
        #expect(!census.enter(nil))
    }
}
