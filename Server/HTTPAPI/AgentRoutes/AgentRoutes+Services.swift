import Filter
import LocalState
import Model
import NIOCore
import Wire

extension AgentRoutes {
    /// - Source: Consul: GET /v1/agent/services
    func listServices(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let text = request.query["filter"] ?? ""
        return read { state throws(HTTPError) in
            let filter = try Self.filter(text, .nodeService) { $0.description }
            var writer = JSONWriter(capacity: 1024)
            writer.beginObject()
            for entry in state.services
            where filter?.matches(ServiceSubject(entry.service)) ?? true {
                writer.key(entry.service.id)
                AgentJSON.service(entry.service, into: &writer)
            }
            writer.endObject()
            return .json(writer.bytes)
        }
    }

    /// - Source: Consul: GET /v1/agent/service/:service_id (blocks by hash)
    func readService(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let id = request.rest
        let known = request.query["hash"] ?? ""
        let wait = try QueryOptions(request, context).waitWithHash(known)
        return .pending { responder in
            agent.watchService(
                id,
                wait: wait,
                isNews: { AgentJSON.contentHash(of: $0) != known }
            ) { service in
                guard let service else {
                    return responder.send(.text(.notFound, "unknown service ID: \(id)"))
                }
                let hash = AgentJSON.contentHash(of: service)
                var writer = JSONWriter(capacity: 512)
                AgentJSON.service(service, contentHash: hash, into: &writer)
                var reply = Reply.json(writer.bytes)
                reply.setHeader("X-Consul-Contenthash", hash)
                responder.send(reply)
            }
        }
    }

    /// - Source: Consul: PUT /v1/agent/service/register
    func registerService(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let registration = try decode(ServiceRegistration.self, request)
        let replaces = request.query["replace-existing-checks"]
        let token = registration.token.isEmpty ? request.token : registration.token
        let options = RegistrationOptions(
            source: .remote,
            token: token,
            replacesChecks: replaces == "" || replaces == "true"
        )
        return change { state, now, effects throws(RegistrationError) in
            try state.register(registration, options: options, now: now, into: &effects)
        }
    }

    /// - Source: Consul: PUT /v1/agent/service/deregister/:service_id
    func deregisterService(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let id = request.rest
        return change { state, now, effects throws(RegistrationError) in
            try state.deregisterService(id, now: now, into: &effects)
        }
    }

    /// - Source: Consul: PUT /v1/agent/service/maintenance/:service_id
    func maintainService(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let id = request.rest
        guard !id.isEmpty else { throw .badRequest("Missing service ID") }
        let enabled = try request.enable()
        let reason = request.query["reason"] ?? ""
        let token = request.token
        return change { state, now, effects throws(RegistrationError) in
            try state.setMaintenance(
                enabled,
                service: id,
                reason: reason,
                token: token,
                now: now,
                into: &effects
            )
        }
    }

    static func filter(
        _ text: String,
        _ schema: FilterSchema,
        complaint: (FilterError) -> String
    ) throws(HTTPError) -> Filter? {
        guard !text.isEmpty else { return nil }
        do throws(FilterError) {
            return try Filter(text, schema: schema)
        } catch {
            throw .failed(complaint(error))
        }
    }
}

extension QueryOptions {
    /// How long a read by hash waits; nothing when it names no hash.
    fileprivate func waitWithHash(_ hash: String) -> TimeAmount {
        guard !hash.isEmpty else { return .zero }
        var generator = SystemRandomNumberGenerator()
        return waitWithJitter(using: &generator)
    }
}
