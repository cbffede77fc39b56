import MusterAPI

extension InMemoryState {
    /// Answers a request as a registry would.
    ///
    /// A read that may block is answered at once here; the shell holds its answer back until the
    /// answer's index has passed the request's.
    mutating func answer(
        _ request: InMemoryRequest,
        now: ContinuousClock.Instant
    ) -> ScriptedReply {
        do {
            let reply =
                switch request.method {
                case "GET": try read(request)
                case "PUT", "POST": try write(request, now: now)
                case "DELETE": try delete(request)
                default: throw InMemoryRefusal(405, "method \(request.method) not allowed")
                }
            if let reply { return reply }
            throw InMemoryRefusal(
                404,
                "the in-memory registry does not serve \(request.method) /v1/\(request.path)"
            )
        } catch let refusal as InMemoryRefusal {
            return ScriptedReply(refusal.status, refusal.message)
        } catch {
            return ScriptedReply(500, "\(error)")
        }
    }

    private func read(_ request: InMemoryRequest) throws -> ScriptedReply? {
        if let datacenter = request["dc"], datacenter != Self.datacenter {
            throw InMemoryRefusal(500, "No path to datacenter")
        }
        let isHealth = request.path.hasPrefix("health/service/")
        for unsupported in ["near", "node-meta", "hash"] + (isHealth ? [] : ["filter"])
        where request.has(unsupported) {
            throw InMemoryRefusal(400, "the in-memory registry does not know ?\(unsupported)")
        }
        _ = try request.number("index")
        _ = try request.wait()
        return try readAgent(request) ?? readCatalog(request) ?? readKeys(request)
            ?? readSessions(request)
    }

    private mutating func write(
        _ request: InMemoryRequest,
        now: ContinuousClock.Instant
    ) throws -> ScriptedReply? {
        if let reply = try writeAgent(request, now: now) { return reply }
        if let key = request.rest(after: "kv/") { return try put(key, request, now: now) }
        return try writeSession(request, now: now)
    }

    private mutating func delete(_ request: InMemoryRequest) throws -> ScriptedReply? {
        guard let key = request.rest(after: "kv/") else { return nil }
        return try delete(key, request)
    }
}
