import Model
import NIOHTTP1
import Replica
import StateStore
import Wire

extension RouteTable {
    /// `/v1/operator/…`.
    ///
    /// - Source: Consul: api-docs/operator.
    mutating func addOperatorRoutes() {
        let read = Requirement(.operatorControl, .read)
        add(.GET, "/v1/operator/raft/configuration", read, OperatorReads.raftConfiguration)
        add(.GET, "/v1/operator/autopilot/configuration", read, OperatorReads.autopilot)
        add(.GET, "/v1/operator/autopilot/health", read, ServerHealthReads.health)
        add(.GET, "/v1/operator/autopilot/state", read, ServerHealthReads.state)
    }
}

/// What operators ask about the servers.
enum OperatorReads {
    /// The servers of the log.
    ///
    /// - Source: Consul: GET /v1/operator/raft/configuration
    @Sendable static func raftConfiguration(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let replica = context.services.replica
        return try context.admitted(options(request, context)) { _ in
            raftConfiguration(replica.leadership)
        }
    }

    private static func raftConfiguration(_ leadership: Leadership) -> Reply {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("Servers")
        writer.beginArray()
        for server in leadership.servers {
            writer.beginObject()
            writer.key("ID")
            writer.string(server.id)
            writer.key("Node")
            writer.string(server.nodeName)
            writer.key("Address")
            writer.string(server.address)
            writer.key("Leader")
            writer.bool(server.id == leadership.leader?.id)
            writer.key("ProtocolVersion")
            writer.string("3")
            writer.key("Voter")
            writer.bool(server.isVoter)
            writer.endObject()
        }
        writer.endArray()
        writer.key("Index")
        // Consul never fills this in.
        writer.integer(0)
        writer.endObject()
        return .json(writer.bytes)
    }

    /// - Source: Consul: GET /v1/operator/autopilot/configuration
    @Sendable static func autopilot(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let replica = context.services.replica
        return try context.admitted(options(request, context)) { _ in
            let store = replica.current.store
            return autopilot(
                store.autopilotConfiguration().value ?? AutopilotConfiguration()
            )
        }
    }

    private static func autopilot(_ configuration: AutopilotConfiguration) -> Reply {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("CleanupDeadServers")
        writer.bool(configuration.cleanupDeadServers)
        writer.key("LastContactThreshold")
        writer.string(GoDuration.format(configuration.lastContactThreshold))
        writer.key("MaxTrailingLogs")
        writer.unsigned(configuration.maxTrailingLogs)
        writer.key("MinQuorum")
        writer.unsigned(configuration.minQuorum)
        writer.key("ServerStabilizationTime")
        writer.string(GoDuration.format(configuration.serverStabilizationTime))
        writer.key("RedundancyZoneTag")
        writer.string(configuration.redundancyZoneTag)
        writer.key("DisableUpgradeMigration")
        writer.bool(configuration.disableUpgradeMigration)
        writer.key("UpgradeVersionTag")
        writer.string(configuration.upgradeVersionTag)
        writer.key("CreateIndex")
        writer.unsigned(configuration.indexes.create.rawValue)
        writer.key("ModifyIndex")
        writer.unsigned(configuration.indexes.modify.rawValue)
        writer.endObject()
        return .json(writer.bytes)
    }

    /// The options of a read that is not evaluated by the connection.
    private static func options(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> QueryOptions {
        let options = try QueryOptions(request, context)
        try request.requireDatacenter(context.services.settings)
        return options
    }
}
