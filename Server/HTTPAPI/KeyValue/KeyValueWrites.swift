import Model
import NIOCore
import Replica
import Wire

/// The writes of the key/value store.
///
/// - Source: Consul: PUT /v1/kv/:key, DELETE /v1/kv/:key
enum KeyValueWrites {
    @Sendable static func put(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try request.refuseNamespace()
        let key = try request.name(orMissing: "key name")
        try refuseConflicts(of: ["cas", "acquire", "release"], in: request.query)
        var entry = KeyValueEntry()
        entry.key = key
        if let flags = request.query["flags"] { entry.flags = try number(flags) }
        var operation = KeyValueOperation.set
        if let index = request.query["cas"] {
            operation = .cas
            entry.indexes.modify = LogIndex(rawValue: try number(index))
        }
        if let session = request.query["acquire"] {
            operation = .lock
            entry.session = session
        }
        if let session = request.query["release"] {
            operation = .unlock
            entry.session = session
        }
        try request.requireDatacenter(context.services.settings)
        entry.value = request.bodyBytes
        return propose(KeyValueCommand(operation: operation, entry: entry), context)
    }

    @Sendable static func delete(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try request.refuseNamespace()
        let isTree = request.query.contains("recurse")
        var entry = KeyValueEntry()
        entry.key = isTree ? request.rest : try request.name(orMissing: "key name")
        try refuseConflicts(of: ["recurse", "cas"], in: request.query)
        var operation = isTree ? KeyValueOperation.deleteTree : .delete
        if let index = request.query["cas"] {
            operation = .deleteCAS
            entry.indexes.modify = LogIndex(rawValue: try number(index))
        }
        try request.requireDatacenter(context.services.settings)
        return propose(KeyValueCommand(operation: operation, entry: entry), context)
    }

    private static func propose(_ command: KeyValueCommand, _ context: RequestContext) -> Outcome {
        Proposals.propose(.keyValue(command), context) { result in
            if case .condition(let isMet) = result { return .json(isMet) }
            return .json(true)
        }
    }

    /// - Source: Go strconv.ParseUint, whose error is the answer.
    private static func number(_ text: String) throws(HTTPError) -> UInt64 {
        if let number = UInt64(text), text.utf8.first != UInt8(ascii: "+") { return number }
        let isNumber = !text.isEmpty && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        let reason = isNumber ? "value out of range" : "invalid syntax"
        throw .failed("strconv.ParseUint: parsing \(GoQuote.quote(text)): \(reason)")
    }

    /// Refuses more than one of `names`, naming the whole query in its sorted form.
    private static func refuseConflicts(
        of names: [String],
        in query: QueryParameters
    ) throws(HTTPError) {
        guard query.pairs.count > 1, names.filter({ query.contains($0) }).count > 1 else { return }
        let sorted = query.pairs.enumerated().sorted {
            ($0.element.name, $0.offset) < ($1.element.name, $1.offset)
        }
        let text = sorted.map { pair in
            PercentCoding.encodeQuery(pair.element.name) + "="
                + PercentCoding.encodeQuery(pair.element.value)
        }
        throw .badRequest("Conflicting flags: " + text.joined(separator: "&"))
    }
}
