import Model
import NIOHTTP1
import Replica
import Wire

/// How the servers are, as the leader sees them.
enum ServerHealthReads {
    /// The health of every server; 429 when one of them is not well.
    ///
    /// - Source: Consul: GET /v1/operator/autopilot/health
    @Sendable static func health(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let services = context.services
        let indents = request.query.contains("pretty") || services.settings.prettyByDefault
        return try ask(request, context) { servers in
            let isHealthy = servers.allSatisfy(\.isHealthy)
            let body = healthBody(servers, services)
            guard !isHealthy else { return .json(body) }
            // Consul sends the status before it knows the type.
            var reply = Reply(.tooManyRequests, kind: .text, body: body)
            if indents { reply.body = JSON.pretty(body) + [UInt8(ascii: "\n")] }
            return reply
        }
    }

    /// The same as newer Consul tells it.
    ///
    /// - Source: Consul 1.9: GET /v1/operator/autopilot/state
    @Sendable static func state(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let services = context.services
        return try ask(request, context) { .json(stateBody($0, services)) }
    }

    private static func ask(
        _ request: Request,
        _ context: RequestContext,
        _ make: @escaping @Sendable ([ServerHealth]) -> Reply
    ) throws(HTTPError) -> Outcome {
        try request.requireDatacenter(context.services.settings)
        let replica = context.services.replica
        return .pending { responder in
            replica.ask(.serverHealth, on: responder.eventLoop) { reply in
                switch reply {
                case .health(let servers): responder.send(make(servers))
                case .failed(let message): responder.send(.text(.internalError, message))
                case .noLeader, .notFound, .done:
                    responder.send(HTTPError(ProposalError.noLeader).reply)
                }
            }
        }
    }

    /// How many more healthy voters may fail.
    ///
    /// - Source: Consul: docs/internals/autopilot.
    private static func failureTolerance(_ servers: [ServerHealth]) -> Int {
        let voters = servers.filter(\.server.isVoter)
        return max(0, voters.count { $0.isHealthy } - (voters.count / 2 + 1))
    }

    // MARK: Bodies

    private static func healthBody(_ servers: [ServerHealth], _ services: APIServices) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("Healthy")
        writer.bool(servers.allSatisfy(\.isHealthy))
        writer.key("FailureTolerance")
        writer.integer(failureTolerance(servers))
        writer.key("Servers")
        writer.beginArray()
        for server in servers {
            writer.beginObject()
            identify(server, "SerfStatus", services, to: &writer)
            writer.key("Leader")
            writer.bool(server.isLeader)
            writeProgress(server, to: &writer)
            writer.key("Healthy")
            writer.bool(server.isHealthy)
            writer.key("Voter")
            writer.bool(server.server.isVoter)
            writer.key("StableSince")
            writer.string(since(server, services))
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    private static func stateBody(_ servers: [ServerHealth], _ services: APIServices) -> [UInt8] {
        let tolerance = failureTolerance(servers)
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("Healthy")
        writer.bool(servers.allSatisfy(\.isHealthy))
        writer.key("FailureTolerance")
        writer.integer(tolerance)
        writer.key("OptimisticFailureTolerance")
        writer.integer(tolerance)
        writer.key("Servers")
        writer.beginObject()
        for server in servers.sorted(by: { $0.server.id < $1.server.id }) {
            writer.key(server.server.id)
            writer.beginObject()
            identify(server, "NodeStatus", services, to: &writer)
            writeProgress(server, to: &writer)
            writer.key("Healthy")
            writer.bool(server.isHealthy)
            writer.key("StableSince")
            writer.string(since(server, services))
            writer.key("ReadReplica")
            writer.bool(false)
            writer.key("Status")
            let isVoter = server.server.isVoter
            writer.string(server.isLeader ? "leader" : isVoter ? "voter" : "non-voter")
            writer.key("Meta")
            writer.null()
            writer.key("NodeType")
            writer.string("voter")
            writer.endObject()
        }
        writer.endObject()
        writer.key("Leader")
        writer.string(servers.first(where: \.isLeader)?.server.id ?? "")
        writer.key("Voters")
        writer.value(servers.filter(\.server.isVoter).map(\.server.id).sorted())
        writer.endObject()
        return writer.bytes
    }

    private static func identify(
        _ server: ServerHealth,
        _ status: String,
        _ services: APIServices,
        to writer: inout JSONWriter
    ) {
        writer.key("ID")
        writer.string(server.server.id)
        writer.key("Name")
        writer.string(server.server.nodeName)
        writer.key("Address")
        writer.string(server.server.address)
        writer.key(status)
        writer.string(isHeard(server) ? "alive" : "failed")
        writer.key("Version")
        writer.string(services.settings.version)
    }

    /// As observed, what was never heard of is -1 ns old.
    private static func writeProgress(_ server: ServerHealth, to writer: inout JSONWriter) {
        writer.key("LastContact")
        writer.string(GoDuration.format(server.lastContact ?? Nanoseconds(rawValue: -1)))
        writer.key("LastTerm")
        writer.unsigned(server.lastTerm)
        writer.key("LastIndex")
        writer.unsigned(server.lastIndex.rawValue)
    }

    /// What stands for gossip's word on a server: it answered within so long a time.
    private static let heardWithin = Nanoseconds.seconds(5)

    private static func isHeard(_ server: ServerHealth) -> Bool {
        if server.isLeader || server.isHealthy { return true }
        return server.lastContact.map { $0 <= heardWithin } ?? false
    }

    private static func since(_ server: ServerHealth, _ services: APIServices) -> String {
        let nanoseconds = server.stableSince.nanosecondsSinceEpoch
        // A log that never looks at its servers does not know.
        guard nanoseconds > 0 else { return services.startedAt }
        return HTTPDate.timestamp(Int(clamping: nanoseconds / 1_000_000_000))
    }
}
