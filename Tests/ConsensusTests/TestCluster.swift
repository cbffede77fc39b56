import Consensus
import Foundation
import Glibc
import Logging
import Model
import NIOCore
import NIOPosix
import Raft
import Replica
import Snapshots
import StateStore
import Testing

/// One server of a test: its log, its replica and its loop.
final class TestServer: Sendable {
    let settings: ConsensusSettings
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let log: ConsensusLog
    let replica: Replica

    init(_ settings: ConsensusSettings) async throws {
        self.settings = settings
        var logger = Logger(label: settings.nodeName)
        logger.logLevel = .critical
        log = try await ConsensusLog.open(
            settings,
            eventLoop: group.next(),
            wallClock: { Timestamp(nanosecondsSinceEpoch: UInt64(time(nil)) * 1_000_000_000) },
            logger: logger,
            fail: { reason in preconditionFailure(reason) }
        )
        replica = Replica(
            eventLoop: group.next(),
            log: log,
            readArchive: { archive in
                let reader = try SnapshotReader()
                try reader.consume(archive)
                return try reader.finish().store
            },
            wallClock: { Timestamp(nanosecondsSinceEpoch: UInt64(time(nil)) * 1_000_000_000) }
        )
        replica.start()
        try await log.listen()
    }

    func stop() async throws {
        await replica.stop()
        try await group.shutdownGracefully()
    }

    func set(_ key: String, _ value: String) async throws {
        var entry = KeyValueEntry()
        entry.key = key
        entry.value = Array(value.utf8)
        let command = Command.keyValue(KeyValueCommand(operation: .set, entry: entry))
        _ = try await replica.propose(command)
    }

    /// The value as a linearizable read on this server finds it.
    func get(_ key: String, _ requirement: ReadRequirement = .current) async throws -> String? {
        let error = await withCheckedContinuation { continuation in
            replica.awaitReadable(requirement, on: replica.eventLoop) {
                continuation.resume(returning: $0)
            }
        }
        if let error { throw error }
        return replica.current.store.keyValue(key).value.map {
            String(decoding: $0.entry.value, as: UTF8.self)
        }
    }

    func ask(_ request: LeaderRequest) async -> LeaderReply {
        await withCheckedContinuation { continuation in
            replica.ask(request, on: replica.eventLoop) { continuation.resume(returning: $0) }
        }
    }
}

/// Servers on loopback with directories of their own, removed in the end.
struct TestCluster {
    let directory: String
    private(set) var settings: [ConsensusSettings] = []
    var servers: [TestServer] = []

    init(of count: Int, expecting: Int? = nil) throws {
        directory = NSTemporaryDirectory() + "/muster-consensus-\(UUID().uuidString)"
        let ports = try (0..<count).map { _ in try Self.freePort() }
        for place in 0..<count {
            var settings = ConsensusSettings(
                id: NodeID(rawValue: UInt128(place + 1) << 64 | 7),
                nodeName: "s\(place)",
                datacenter: "dc1",
                advertisedAddress: "127.0.0.1:\(ports[place])",
                listenHost: "127.0.0.1",
                listenPort: ports[place],
                directory: "\(directory)/s\(place)"
            )
            settings.bootstrapExpect = expecting ?? count
            settings.joinAddresses = ports.map { "127.0.0.1:\($0)" }
            settings.limits.joinInterval = .milliseconds(50)
            self.settings.append(settings)
        }
    }

    /// A port that nobody listens on now.
    private static func freePort() throws -> Int {
        let channel = try ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0).wait()
        defer { try? channel.close().wait() }  // It is closed when it fails, too.
        return try #require(channel.localAddress?.port)
    }

    mutating func change(_ place: Int, _ body: (inout ConsensusSettings) -> Void) {
        body(&settings[place])
    }

    func make(_ place: Int) async throws -> TestServer {
        try await TestServer(settings[place])
    }

    mutating func startAll() async throws {
        for place in settings.indices { servers.append(try await make(place)) }
    }

    func stopAll() async throws {
        for server in servers { try await server.stop() }
        try FileManager.default.removeItem(atPath: directory)
    }
}
