import LocalState
import Model
import NIOHTTP1
import Wire

/// The health of one service of the agent, as load balancers ask for it.
private struct ServiceHealth {
    let service: CatalogService
    /// The service's checks and the node's own.
    let checks: [HealthCheck]

    init(_ service: CatalogService, in state: LocalState) {
        self.service = service
        checks =
            state.checks(ofService: "").map(\.check)
            + state.checks(ofService: service.id).map(\.check)
    }

    /// Maintenance before critical before warning before passing.
    var status: CheckStatus {
        var worst = CheckStatus.passing
        for check in checks {
            if check.id == MaintenanceCheck.node
                || check.id.hasPrefix(MaintenanceCheck.servicePrefix)
            {
                return .maintenance
            }
            if check.status == .critical {
                worst = .critical
            } else if check.status == .warning, worst == .passing {
                worst = .warning
            }
        }
        return worst
    }

    static func code(_ status: CheckStatus) -> Status {
        switch status {
        case .passing: .ok
        case .warning: .tooManyRequests
        default: .unavailable
        }
    }

    func write(into writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("AggregatedStatus")
        writer.string(status.rawValue)
        writer.key("Service")
        AgentJSON.service(service, into: &writer)
        writer.key("Checks")
        writer.beginArray()
        for check in checks { AgentJSON.healthCheck(check, into: &writer) }
        writer.endArray()
        writer.endObject()
    }
}

extension AgentRoutes {
    /// - Source: Consul: GET /v1/agent/health/service/name/:service_name
    func healthByName(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let name = request.rest
        guard !name.isEmpty else { throw .badRequest("Missing service Name").asHandlerFailure }
        let wantsText = request.wantsText
        return read { state in
            let found = state.services.filter { $0.service.name == name }
                .map { ServiceHealth($0.service, in: state) }
            var code = Status.notFound
            var reason = "ServiceName \(name) Not Found"
            for health in found {
                let own = ServiceHealth.code(health.status)
                guard code == .notFound || own.rawValue > code.rawValue else { continue }
                code = own
                reason = health.status.rawValue
            }
            var writer = JSONWriter(capacity: 1024)
            writer.beginArray()
            for health in found { health.write(into: &writer) }
            writer.endArray()
            return Self.reply(code, reason: reason, json: writer.bytes, asText: wantsText)
        }
    }

    /// - Source: Consul: GET /v1/agent/health/service/id/:service_id
    func healthByID(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let id = request.rest
        guard !id.isEmpty else { throw .badRequest("Missing serviceID").asHandlerFailure }
        let wantsText = request.wantsText
        return read { state in
            var writer = JSONWriter(capacity: 1024)
            guard let service = state.service(id)?.service else {
                writer.beginObject()
                writer.key("AggregatedStatus")
                writer.string(CheckStatus.critical.rawValue)
                writer.key("Service")
                writer.null()
                writer.key("Checks")
                writer.null()
                writer.endObject()
                let reason = "ServiceId \(id) not found"
                if wantsText {
                    // Consul writes this one text as JSON.
                    writer.removeAll()
                    writer.string(reason)
                }
                return Self.reply(.notFound, reason: reason, json: writer.bytes, asText: false)
            }
            let health = ServiceHealth(service, in: state)
            health.write(into: &writer)
            return Self.reply(
                ServiceHealth.code(health.status),
                reason: health.status.rawValue,
                json: writer.bytes,
                asText: wantsText
            )
        }
    }

    private static func reply(
        _ code: Status,
        reason: String,
        json: [UInt8],
        asText: Bool
    ) -> Reply {
        var reply: Reply
        if asText {
            reply = Reply(code, body: Array(reason.utf8), headers: [("Content-Type", "text/plain")])
        } else {
            reply = Reply(code, kind: .json, body: json)
        }
        reply.setHeader("X-Consul-Reason", reason)
        return reply
    }
}

extension HTTPError {
    /// The form in which Consul answers when a handler gives back a refusal it made itself.
    fileprivate var asHandlerFailure: HTTPError {
        .failed("Bad request: \(message)")
    }
}

extension Request {
    /// Whether the answer is wanted as plain text; an `Accept` field comes before `format`.
    fileprivate var wantsText: Bool {
        if headers.first(name: "Accept")?.hasPrefix("text/plain") == true { return true }
        return query["format"] == "text"
    }
}
