import Consensus
import Glibc
import Logging
import Model
import NIOCore
import Replica
import StateStore

/// The log of this agent as its configuration asks for it.
enum ServerLog {
    /// Opens the replicated log in the data directory; nil in development mode.
    static func open(
        _ configuration: AgentConfiguration,
        _ tls: AgentTLS,
        _ eventLoop: any EventLoop,
        _ logger: Logger
    ) async throws(StartError) -> ConsensusLog? {
        guard !configuration.isDevelopment else { return nil }
        do {
            return try await ConsensusLog.open(
                settings(configuration, tls),
                eventLoop: eventLoop,
                wallClock: Clocks.wall,
                logger: logger,
                fail: { reason in
                    logger.critical("the log cannot go on, this server ends: \(reason)")
                    exit(1)
                }
            )
        } catch {
            throw StartError("\(error)")
        }
    }

    static func inMemory(_ configuration: AgentConfiguration) -> InMemoryLog {
        InMemoryLog(
            server: LogServer(
                id: configuration.nodeID,
                nodeName: configuration.nodeName,
                address: configuration.serverAddress.description,
                isVoter: true
            )
        )
    }

    /// Listens for the other servers.
    static func listen(
        _ log: ConsensusLog,
        _ configuration: AgentConfiguration
    ) async throws(StartError) {
        do {
            try await log.listen()
        } catch {
            let place = "\(configuration.bindAddress):\(configuration.ports.server)"
            throw StartError("Failed to start server on \(place): \(error)")
        }
    }

    private static func settings(
        _ configuration: AgentConfiguration,
        _ tls: AgentTLS
    ) throws(StartError) -> ConsensusSettings {
        guard let id = ServerID.parse(configuration.nodeID) else {
            throw StartError("node_id: not a UUID: \(configuration.nodeID)")
        }
        var settings = ConsensusSettings(
            id: id,
            nodeName: configuration.nodeName,
            datacenter: configuration.datacenter,
            advertisedAddress: configuration.serverAddress.description,
            listenHost: configuration.bindAddress,
            listenPort: configuration.ports.server,
            directory: configuration.dataDirectory + "/raft"
        )
        let cluster = configuration.cluster
        switch cluster.formation {
        case .join: break
        case .bootstrap: settings.bootstraps = true
        case .expect(let count): settings.bootstrapExpect = count
        }
        settings.security = try tls.security()
        settings.joinAddresses = cluster.retryJoin.map(\.description)
        settings.limits.holdTime = cluster.rpcHoldTimeout
        settings.timing = settings.timing.stretched(by: cluster.raftMultiplier)
        settings.snapshots.entries = UInt64(max(1, cluster.snapshotThreshold))
        settings.snapshots.trailingEntries = UInt64(max(0, cluster.trailingLogs))
        return settings
    }
}
