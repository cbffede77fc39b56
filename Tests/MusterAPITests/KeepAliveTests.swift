import NIOCore
import NIOPosix
import Testing

@testable import MusterAPI

#if os(Linux)
import Glibc

/// A peer that has lost power is noticed before a blocking query's own deadline.
@Suite struct KeepAliveTests {
    private func option(
        _ channel: any Channel,
        _ level: NIOBSDSocket.OptionLevel,
        _ name: CInt
    )
        async throws -> SocketOptionValue
    {
        let option = ChannelOptions.Types.SocketOption(
            level: level,
            name: NIOBSDSocket.Option(rawValue: name)
        )
        return try await channel.getOption(option).get()
    }

    @Test func theSystemAsksAfterThirtySecondsOfSilenceAndGivesUpAfterThreeTries() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        let address = try #require(server.localAddress)
        let channel = try await ClientBootstrap(group: group).connect(to: address).get()
        try await Transport.keepAlive(channel).get()
        let enabled = try await option(channel, .socket, SO_KEEPALIVE)
        #expect(enabled == 1)
        let idle = try await option(channel, .tcp, TCP_KEEPIDLE)
        #expect(idle == 30)
        let interval = try await option(channel, .tcp, TCP_KEEPINTVL)
        #expect(interval == 10)
        let probes = try await option(channel, .tcp, TCP_KEEPCNT)
        #expect(probes == 3)
        try await channel.close()
        try await server.close()
    }
}
#endif
