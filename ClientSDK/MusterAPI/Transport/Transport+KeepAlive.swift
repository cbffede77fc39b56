import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

extension Transport {
    /// Has the system ask whether the other side of a silent connection is still there.
    ///
    /// A blocking query that waits for a change looks like one whose agent has lost power: without
    /// this only the query's own deadline tells, a minute later. Also keeps the entry of a
    /// connection in firewalls between.
    ///
    /// - Source: RFC 1122 §4.2.3.6; Linux tcp(7).
    static func keepAlive(_ channel: any Channel) -> EventLoopFuture<Void> {
        var options: [(ChannelOptions.Types.SocketOption, SocketOptionValue)] = [
            (ChannelOptions.Types.SocketOption(level: .socket, name: .so_keepalive), 1)
        ]
        #if os(Linux)
        let tcp = { (name: CInt) in
            ChannelOptions.Types.SocketOption(
                level: .tcp,
                name: NIOBSDSocket.Option(rawValue: name)
            )
        }
        options += [
            (tcp(TCP_KEEPIDLE), SocketOptionValue(Limits.keepAliveIdle.components.seconds)),
            (tcp(TCP_KEEPINTVL), SocketOptionValue(Limits.keepAliveInterval.components.seconds)),
            (tcp(TCP_KEEPCNT), SocketOptionValue(Limits.keepAliveProbes)),
        ]
        #endif
        let set = options.map { option, value in
            // A unix socket has no such options: it needs none.
            channel.setOption(option, value: value).recover { _ in }
        }
        return EventLoopFuture.andAllSucceed(set, on: channel.eventLoop)
    }
}
