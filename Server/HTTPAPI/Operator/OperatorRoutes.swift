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
        add(.GET, "/v1/operator/autopilot/health", read, OperatorReads.health)
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
        let leadership = try leadership(request, context)
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
        return .reply(.json(writer.bytes))
    }

    /// - Source: Consul: GET /v1/operator/autopilot/configuration
    @Sendable static func autopilot(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        _ = try leadership(request, context)
        let store = context.services.replica.current.store
        let configuration =
            store.autopilotConfiguration().value ?? AutopilotConfiguration()
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
        return .reply(.json(writer.bytes))
    }

    /// The health of the servers as the leader sees it; 429 when one of them is not well.
    ///
    /// - Source: Consul: GET /v1/operator/autopilot/health
    @Sendable static func health(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let leadership = try leadership(request, context)
        let isHealthy = leadership.leader != nil
        let voters = leadership.servers.count { $0.isVoter }
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("Healthy")
        writer.bool(isHealthy)
        writer.key("FailureTolerance")
        writer.integer(max(0, (voters - 1) / 2))
        writer.key("Servers")
        writer.beginArray()
        for server in leadership.servers {
            write(server, leadership, context.services, to: &writer)
        }
        writer.endArray()
        writer.endObject()
        var reply = Reply.json(writer.bytes)
        if !isHealthy { reply.status = .tooManyRequests }
        return .reply(reply)
    }

    private static func write(
        _ server: LogServer,
        _ leadership: Leadership,
        _ services: APIServices,
        to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.key("ID")
        writer.string(server.id)
        writer.key("Name")
        writer.string(server.nodeName)
        writer.key("Address")
        writer.string(server.address)
        writer.key("SerfStatus")
        writer.string("alive")
        writer.key("Version")
        writer.string(services.settings.version)
        writer.key("Leader")
        writer.bool(server.id == leadership.leader?.id)
        writer.key("LastContact")
        writer.string(GoDuration.format(leadership.lastContact))
        writer.key("LastTerm")
        writer.unsigned(leadership.term)
        writer.key("LastIndex")
        writer.unsigned(leadership.lastLogIndex.rawValue)
        writer.key("Healthy")
        writer.bool(true)
        writer.key("Voter")
        writer.bool(server.isVoter)
        writer.key("StableSince")
        writer.string(services.startedAt)
        writer.endObject()
    }

    private static func leadership(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Leadership {
        try request.requireDatacenter(context.services.settings)
        let leadership = context.services.replica.leadership
        if leadership.leader == nil, !request.query.contains("stale") {
            throw .failed("No cluster leader")
        }
        return leadership
    }
}
