import Model
import NIOHTTP1
import Replica
import StateStore
import Wire

extension RouteTable {
    /// `/v1/kv/…`.
    ///
    /// - Source: Consul: api-docs/kv.
    mutating func addKeyValueRoutes() {
        let path = "/v1/kv/"
        add(.GET, path, Requirement(.key, .read), KeyValueReads.get)
        add(
            .PUT,
            path,
            Requirement(.key, .write),
            bodyLimit: .keyValue,
            KeyValueWrites.put
        )
        add(.DELETE, path, Requirement(.key, .write), KeyValueWrites.delete)
    }
}

/// The reads of the key/value store.
///
/// - Source: Consul: GET /v1/kv/:key
enum KeyValueReads {
    @Sendable static func get(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try request.refuseNamespace()
        var options = try QueryOptions(request, context)
        options.announcesFailures = false
        if request.query.contains("keys") { return .read(keys(request, options)) }
        if request.query.contains("recurse") { return .read(tree(request, options)) }
        let key = try request.name(orMissing: "key name")
        let isRaw = request.query.contains("raw")
        return .read(
            ReadQuery(request, options) { state in
                let answer = state.store.keyValue(key)
                let reply = answer.value.map { isRaw ? raw($0) : list([$0]) }
                return ReadAnswer(
                    reply ?? .empty(.notFound),
                    index: answer.index,
                    topics: answer.topics,
                    isPinned: reply != nil
                )
            }
        )
    }

    private static func tree(_ request: Request, _ options: QueryOptions) -> ReadQuery {
        let prefix = request.rest
        return ReadQuery(request, options) { state in
            let answer = state.store.keyValues(prefix: prefix)
            return ReadAnswer(
                answer.value.isEmpty ? .empty(.notFound) : list(answer.value),
                index: answer.index,
                topics: answer.topics
            )
        }
    }

    private static func keys(_ request: Request, _ options: QueryOptions) -> ReadQuery {
        let prefix = request.rest
        let separator = request.query["separator"] ?? ""
        return ReadQuery(request, options) { state in
            let answer = state.store.keys(prefix: prefix, separator: separator)
            var reply = Reply.empty(.notFound)
            // Below nothing at all there may be no keys; below a name there must be some.
            if prefix.isEmpty || !answer.value.isEmpty {
                var writer = JSONWriter(capacity: answer.value.count * 32)
                writer.value(answer.value)
                reply = .json(writer.bytes)
            }
            return ReadAnswer(reply, index: answer.index, topics: answer.topics)
        }
    }

    private static func list(_ records: [KeyValueRecord]) -> Reply {
        var writer = JSONWriter(capacity: records.count * 256)
        writer.beginArray()
        for record in records { writer.value(record.entry) }
        writer.endArray()
        return .json(writer.bytes)
    }

    /// The value alone; the fields keep browsers from taking it for a page.
    private static func raw(_ record: KeyValueRecord) -> Reply {
        let value = record.withValue { Array($0) }
        return Reply(
            .ok,
            body: value,
            headers: [
                ("Content-Length", String(value.count)),
                ("Content-Security-Policy", "sandbox"),
                ("Content-Type", "text/plain"),
                ("X-Content-Type-Options", "nosniff"),
            ]
        )
    }
}
