import Filter
import Model
import NIOCore
import NIOHTTP1
import Wire

/// The routes under `/v1/event/`.
///
/// - Source: Consul: api-docs/event.
package struct EventRoutes: Sendable {
    private let agent: any AgentOperations

    package init(agent: any AgentOperations) {
        self.agent = agent
    }

    package func add(to table: inout RouteTable) {
        table.add(.PUT, "/v1/event/fire/", Requirement(.event, .write), fire)
        table.add(.GET, "/v1/event/list", Requirement(.event, .read), list)
    }

    /// - Source: Consul: PUT /v1/event/fire/:name
    private func fire(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let settings = context.services.settings
        var event = UserEvent()
        event.name = request.rest
        guard !event.name.isEmpty else { throw .badRequest("Missing name") }
        event.nodeFilter = request.query["node"] ?? ""
        event.serviceFilter = request.query["service"] ?? ""
        event.tagFilter = request.query["tag"] ?? ""
        event.payload = request.bodyBytes
        try validate(event)
        guard request.datacenter(settings) == settings.datacenter else {
            throw .failed("No path to datacenter")
        }
        try event.refuseOversize()
        return .pending { responder in
            agent.fire(event) { fired in
                var writer = JSONWriter()
                fired.write(into: &writer)
                responder.send(.json(writer.bytes))
            }
        }
    }

    private func validate(_ event: UserEvent) throws(HTTPError) {
        if !event.tagFilter.isEmpty, event.serviceFilter.isEmpty {
            throw .failed("Cannot provide tag filter without service filter")
        }
        let filters = [
            ("node", event.nodeFilter), ("service", event.serviceFilter),
            ("tag", event.tagFilter),
        ]
        for (name, pattern) in filters where !pattern.isEmpty {
            do throws(RegularExpressionError) {
                _ = try RegularExpression(pattern)
            } catch {
                throw .failed("Invalid \(name) filter: \(error.description)")
            }
        }
    }

    /// - Source: Consul: GET /v1/event/list (its index is a hash of the last event's id)
    private func list(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let options = try QueryOptions(request, context)
        let known = options.minimumIndex.rawValue
        var generator = SystemRandomNumberGenerator()
        let wait = known == 0 ? .zero : options.waitWithJitter(using: &generator)
        let name = request.query["name"] ?? ""
        return .pending { responder in
            agent.events(named: name, differingFrom: known, wait: wait) { events in
                var writer = JSONWriter(capacity: 256)
                writer.beginArray()
                for event in events { event.write(into: &writer) }
                writer.endArray()
                var reply = Reply.json(writer.bytes)
                reply.setHeader("X-Consul-Index", String(UserEvent.index(of: events)))
                responder.send(reply)
            }
        }
    }
}

extension UserEvent {
    /// The index that stands for a list of events: of the last one's id, or 1.
    package static func index(of events: [UserEvent]) -> UInt64 {
        guard let last = events.last else { return 1 }
        let digits = last.id.filter { $0 != "-" }
        guard digits.utf8.count == 32,
            let lower = UInt64(digits.prefix(16), radix: 16),
            let upper = UInt64(digits.suffix(16), radix: 16)
        else { return 1 }
        return lower ^ upper
    }

    /// Bytes that an event may have on the wire.
    ///
    /// - Source: serf, `UserEventSizeLimit`.
    private static let sizeLimit = 512

    /// Refuses an event that gossip could not carry.
    ///
    /// What the wire adds: 66 bytes around Consul's own record, which has the name once more, and
    /// 30 around serf's.
    /// - Source: Consul: PUT /v1/event/fire/:name, measured.
    fileprivate func refuseOversize() throws(HTTPError) {
        let filters = [nodeFilter, serviceFilter, tagFilter].filter { !$0.isEmpty }
            .reduce(0) { $0 + $1.utf8.count + 4 }
        let size = payload.count + 2 * name.utf8.count + filters + 66
        guard size + 30 > Self.sizeLimit else { return }
        let limit = "exceeds configured limit of \(Self.sizeLimit) bytes"
        let reason =
            size > Self.sizeLimit
            ? "user event \(limit) before encoding"
            : "encoded user event \(limit) after encoding"
        throw .failed(
            "1 error occurred:\n\t* error broadcasting event to segment \"\": \(reason)\n\n"
        )
    }

    func write(into writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("ID")
        writer.string(id)
        writer.key("Name")
        writer.string(name)
        writer.key("Payload")
        if payload.isEmpty { writer.null() } else { writer.base64(payload) }
        writer.key("NodeFilter")
        writer.string(nodeFilter)
        writer.key("ServiceFilter")
        writer.string(serviceFilter)
        writer.key("TagFilter")
        writer.string(tagFilter)
        writer.key("Version")
        writer.integer(version)
        writer.key("LTime")
        writer.unsigned(lamportTime)
        writer.endObject()
    }
}
