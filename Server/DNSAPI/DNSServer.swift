package import Model
package import NIOCore
import NIOPosix
package import Replica
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Serves DNS over UDP and TCP from the replica's newest state.
///
/// There is one UDP socket for each event loop, all on one port; the kernel spreads clients over
/// them. Limits: ``DNSLimits``.
package final class DNSServer: Sendable {
    private let replica: Replica
    private let settings: DNSSettings
    private let wallClock: @Sendable () -> Timestamp
    private let channels = Mutex<[any Channel]>([])
    private let connections = Atomic<Int>(0)

    /// Makes a server that is idle until it is started.
    ///
    /// - Parameters:
    ///   - replica: whose state is served.
    ///   - settings: how it is served.
    ///   - wallClock: read for the serial number of SOA records.
    package init(
        replica: Replica,
        settings: DNSSettings,
        wallClock: @escaping @Sendable () -> Timestamp
    ) {
        self.replica = replica
        self.settings = settings
        self.wallClock = wallClock
    }

    /// Listens on both protocols; with port 0 on one that the system chooses.
    ///
    /// Can be called once for each address. Fails when something else listens there, and listens on
    /// nothing then that it did not listen on before.
    package func start(
        on group: any EventLoopGroup,
        address: String,
        port: Int
    ) async throws {
        var opened: [any Channel] = []
        do {
            // First TCP: other than UDP, its port belongs to one process only.
            let listener = try await listen(on: group, address: address, port: port)
            opened.append(listener)
            let chosen = listener.localAddress?.port ?? port
            for loop in group.makeIterator() {
                opened.append(try await bind(on: loop, address: address, port: chosen))
            }
        } catch {
            for channel in opened { try? await channel.close() }  // Nobody uses them yet.
            throw error
        }
        channels.withLock { $0 += opened }
    }

    /// The ports that are listened on, one for each address.
    package var ports: [Int] {
        var ports: [Int] = []
        for channel in channels.withLock({ $0 }) {
            guard let port = channel.localAddress?.port, !ports.contains(port) else { continue }
            ports.append(port)
        }
        return ports
    }

    /// Stops listening; connections close when they are idle or their clients go.
    package func stop() async {
        let open = channels.withLock { channels in
            defer { channels = [] }
            return channels
        }
        for channel in open {
            try? await channel.close()  // Fails only when it is closed already.
        }
    }

    private func makeLoop() -> DNSLoop {
        DNSLoop(replica: replica, settings: settings, wallClock: wallClock)
    }

    private func bind(
        on loop: any EventLoop,
        address: String,
        port: Int
    ) async throws -> any Channel {
        try await DatagramBootstrap(group: loop)
            .channelOption(.socketOption(.so_reuseaddr), value: 1)
            .channelOption(.socketOption(.init(rawValue: SO_REUSEPORT)), value: 1)
            .channelOption(.socketOption(.so_rcvbuf), value: DNSLimits.socketBufferBytes)
            .channelOption(
                .writeBufferWaterMark,
                value: .init(
                    low: DNSLimits.pendingAnswerBytes / 2,
                    high: DNSLimits.pendingAnswerBytes
                )
            )
            .channelOption(.datagramVectorReadMessageCount, value: DNSLimits.datagramsPerRead)
            .channelOption(
                .recvAllocator,
                value: FixedSizeRecvByteBufferAllocator(
                    capacity: DNSLimits.datagramsPerRead * DNSLimits.queryBytes
                )
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = DatagramHandler(loop: self.makeLoop())
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .bind(host: address, port: port)
            .get()
    }

    private func listen(
        on group: any EventLoopGroup,
        address: String,
        port: Int
    ) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: DNSLimits.backlog)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.accept(channel) }
            }
            .bind(host: address, port: port)
            .get()
    }

    private func accept(_ channel: any Channel) throws {
        let count = connections.add(1, ordering: .relaxed).newValue
        let onClose: @Sendable () -> Void = { [self] in
            connections.subtract(1, ordering: .relaxed)
        }
        guard count <= DNSLimits.connections else {
            onClose()
            throw DNSServerError.tooManyConnections
        }
        let idle = IdleStateHandler(readTimeout: .seconds(DNSLimits.idleSeconds))
        try channel.pipeline.syncOperations.addHandler(idle)
        let handler = StreamHandler(loop: makeLoop(), onClose: onClose)
        try channel.pipeline.syncOperations.addHandler(handler)
    }
}

/// Why a connection was refused.
enum DNSServerError: Error {
    case tooManyConnections
}
