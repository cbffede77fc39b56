import Model
import NIOCore
import NIOHTTP1
import Replica
import StateStore
import Wire

extension RouteTable {
    /// `/v1/session/…`.
    ///
    /// - Source: Consul: api-docs/session.
    mutating func addSessionRoutes() {
        let write = Requirement(.session, .write)
        let read = Requirement(.session, .read)
        add(.PUT, "/v1/session/create", write, SessionWrites.create)
        add(.PUT, "/v1/session/destroy/", write, SessionWrites.destroy)
        add(.PUT, "/v1/session/renew/", write, SessionWrites.renew)
        add(.GET, "/v1/session/info/", read, SessionReads.info)
        add(.GET, "/v1/session/node/", read, SessionReads.node)
        add(.GET, "/v1/session/list", read, SessionReads.list)
    }
}

/// The reads of sessions.
enum SessionReads {
    /// - Source: Consul: GET /v1/session/info/:uuid
    @Sendable static func info(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let id = try request.name(orMissing: "session")
        return try read(request, context) { store throws(HTTPError) in
            try refuseMalformed(id)
            return store.session(id).map { $0.map { [$0] } ?? [] }
        }
    }

    /// - Source: Consul: GET /v1/session/node/:node
    @Sendable static func node(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let name = try request.name(orMissing: "node name")
        return try read(request, context) { store in store.sessions(node: name) }
    }

    /// - Source: Consul: GET /v1/session/list
    @Sendable static func list(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try read(request, context) { store in store.sessions() }
    }

    private static func read(
        _ request: Request,
        _ context: RequestContext,
        _ sessions:
            @escaping @Sendable (StateStore) throws(HTTPError) -> Answer<[SessionRecord]>
    ) throws(HTTPError) -> Outcome {
        try request.refuseNamespace()
        let options = try QueryOptions(request, context)
        return .read(
            ReadQuery(request, options) { state throws(HTTPError) in
                let answer = try sessions(state.store)
                return ReadAnswer(
                    .json(json(answer.value)),
                    index: answer.index,
                    topics: answer.topics
                )
            }
        )
    }

    static func json(_ records: [SessionRecord]) -> [UInt8] {
        var list = JSONList(capacity: records.count * 256)
        for record in records { list.append(record.json) }
        return list.finish()
    }

    static func refuseMalformed(_ id: String) throws(HTTPError) {
        if let flaw = UUIDText.lookupFlaw(of: id) {
            throw .failed("failed session lookup: index error: \(flaw)")
        }
    }
}

/// The writes of sessions.
enum SessionWrites {
    /// - Source: Consul: PUT /v1/session/create
    @Sendable static func create(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try request.refuseNamespace()
        let settings = context.services.settings
        var body = SessionBody()
        if request.body.readableBytes > 0 {
            body = try decode(request)
        }
        try request.requireDatacenter(settings)
        var session = Session()
        session.id = UUIDText.random()
        session.name = body.name
        session.node = body.node.isEmpty ? settings.nodeName : body.node
        session.behavior = try behavior(body.behavior)
        session.ttl = body.ttl
        try checkTTL(body.ttl, context.services.limits)
        session.lockDelay = body.lockDelay
        session.serviceChecks = body.serviceChecks
        (session.checks, session.nodeChecks) = checks(of: body)
        return Proposals.propose(.session(.create(session)), context) { result in
            guard case .sessionID(let id) = result else { return .json(true) }
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("ID")
            writer.string(id)
            writer.endObject()
            return .json(writer.bytes)
        }
    }

    /// Reads the body; Go's error names the type it would have been read into.
    private static func decode(_ request: Request) throws(HTTPError) -> SessionBody {
        do {
            return try request.decodeBody(SessionBody.self, refusesUnknownKeys: false)
        } catch {
            guard error.message.hasSuffix("Go value of type ") else { throw error }
            let type = "struct { LockDelay interface {}; *structs.Alias }"
            throw HTTPError(error.status, error.message + type)
        }
    }

    /// The two lists of node checks, each of which has the node's own health as its default.
    ///
    /// An empty list empties the other one; the default of the older list gives way.
    private static func checks(
        of body: SessionBody
    ) -> (checks: [String]?, nodeChecks: [String]?) {
        guard let checks = body.checks, !checks.isEmpty else { return (nil, []) }
        guard let nodeChecks = body.nodeChecks, !nodeChecks.isEmpty else {
            return (nil, body.nodeChecks)
        }
        return (checks == [SessionBody.defaultCheck] ? nil : checks, nodeChecks)
    }

    private static func behavior(_ text: String) throws(HTTPError) -> SessionBehavior {
        if text.isEmpty { return .release }
        guard let behavior = SessionBehavior(rawValue: text) else {
            throw .failed("Invalid Behavior setting '\(text)'")
        }
        return behavior
    }

    /// - Source: Consul: api-docs/session `TTL`: from 10 seconds to 24 hours, or none.
    private static func checkTTL(_ text: String, _ limits: HTTPLimits) throws(HTTPError) {
        guard !text.isEmpty else { return }
        let ttl: Nanoseconds
        do {
            ttl = try GoDuration.parseOrThrow(text)
        } catch {
            throw .failed("Session TTL '\(text)' invalid: \(error.message)")
        }
        let least = Nanoseconds(rawValue: limits.leastSessionTTL.nanoseconds)
        guard ttl == .zero || (ttl >= least && ttl <= .seconds(86_400)) else {
            throw .failed(
                "Invalid Session TTL '\(ttl.rawValue)', must be between "
                    + "[\(GoDuration.format(least))=24h0m0s]"
            )
        }
    }

    /// The session that a path names.
    private static func identifier(
        of request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> String {
        try request.refuseNamespace()
        let id = try request.name(orMissing: "session")
        try request.requireDatacenter(context.services.settings)
        try SessionReads.refuseMalformed(id)
        return id
    }

    /// - Source: Consul: PUT /v1/session/destroy/:uuid
    @Sendable static func destroy(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let id = try identifier(of: request, context)
        return Proposals.propose(.session(.destroy(id: id)), context) { _ in .json(true) }
    }

    /// - Source: Consul: PUT /v1/session/renew/:uuid
    @Sendable static func renew(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let id = try identifier(of: request, context)
        let replica = context.services.replica
        return .pending { responder in
            replica.ask(.renewSession(id), on: responder.eventLoop) { reply in
                responder.send(renewed(id, reply, replica))
            }
        }
    }

    private static func renewed(_ id: String, _ reply: LeaderReply, _ replica: Replica) -> Reply {
        switch reply {
        case .done:
            guard let record = replica.current.store.session(id).value else {
                return .text(.notFound, "Session id '\(id)' not found")
            }
            return .json(SessionReads.json([record]))
        case .noLeader: return .text(.internalError, "No cluster leader")
        case .failed(let message): return .text(.internalError, message)
        case .notFound, .health: return .text(.notFound, "Session id '\(id)' not found")
        }
    }
}
