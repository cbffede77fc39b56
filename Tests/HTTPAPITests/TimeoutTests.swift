import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPAPI

/// The time-outs are measured in sweeps of the loop; each test moves the loop's time by hand.
@Suite struct TimeoutTests {
    private func settings() -> HTTPSettings {
        var settings = HTTPSettings()
        settings.limits.sweepInterval = .seconds(1)
        settings.limits.headTimeout = .seconds(10)
        settings.limits.bodyTimeout = .seconds(10)
        settings.limits.idleTimeout = .seconds(60)
        return settings
    }

    @Test func aHeadThatTricklesInIsCutOff() throws {
        let server = TestServer(settings: settings())
        let connection = try server.connect()
        var sent = 0
        for byte in "GET /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n".utf8 {
            guard connection.isOpen else { break }
            _ = try connection.send(bytes: [byte])
            sent += 1
            server.loop.advanceTime(by: .seconds(1))
        }
        #expect(!connection.isOpen)
        #expect(sent < 16)
    }

    @Test func aBodyThatStopsIsCutOff() throws {
        let server = TestServer(settings: settings())
        let connection = try server.connect()
        _ = try connection.send("PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab")
        server.loop.advanceTime(by: .seconds(8))
        #expect(connection.isOpen)
        server.loop.advanceTime(by: .seconds(8))
        #expect(!connection.isOpen)
    }

    @Test func anIdleConnectionEndsAndABusyOneDoesNot() throws {
        let server = TestServer(settings: settings())
        let idle = try server.connect()
        let busy = try server.connect()
        for _ in 0..<70 {
            _ = try busy.get("/v1/status/leader")
            server.loop.advanceTime(by: .seconds(1))
        }
        #expect(!idle.isOpen)
        #expect(busy.isOpen)
    }

    @Test func aParkedQueryIsNotIdle() throws {
        let server = TestServer(settings: settings())
        let connection = try server.connect()
        #expect(try connection.get("/v1/kv/a?index=100&wait=200s") == "")
        server.loop.advanceTime(by: .seconds(150))
        #expect(connection.isOpen)
        server.loop.advanceTime(by: .seconds(70))
        #expect(try ParsedReply(connection.received()).status == 404)
    }
}
