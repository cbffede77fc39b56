package import Model
package import NIOCore
import Wire

/// How current a read must be.
///
/// - Source: Consul: api-docs/features/consistency.
package enum Consistency: Hashable, Sendable {
    case standard
    case consistent
    case stale
}

/// The parameters that every read of the registry shares.
package struct QueryOptions: Sendable {
    package var datacenter: String
    package var consistency = Consistency.standard
    /// Zero when the read does not wait.
    package var minimumIndex = LogIndex.zero
    /// How long it waits at most, before jitter.
    package var wait = TimeAmount.zero
    package var filter = ""
    package var near = ""
    package var nodeMeta: [String: String] = [:]
    /// `cached` was asked for, on a route that has it.
    package var usesCache = false
    /// The reply names the consistency it had (`X-Consul-Effective-Consistency`).
    package var announcesConsistency = false

    /// Reads the parameters; throws the texts Consul answers with status 400.
    ///
    /// - Source: Consul: `parse` of its HTTP layer, as observed on 1.8.7.
    package init(
        _ request: Request,
        _ context: RequestContext,
        takesCache: Bool = false
    ) throws(HTTPError) {
        let settings = context.services.settings
        datacenter = request.query["dc"].flatMap { $0.isEmpty ? nil : $0 } ?? settings.datacenter
        filter = request.query["filter"] ?? ""
        near = request.query["near"] ?? ""
        if near == "_agent" { near = settings.nodeName }
        for pair in request.query.all("node-meta") {
            let parts = pair.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? String(parts[1]) : ""
            nodeMeta[parts.first.map(String.init) ?? ""] = value
        }
        try parseWait(request.query, settings.limits)
        try parseConsistency(request.query)
        usesCache = takesCache && request.query.contains("cached") && consistency == .standard
        if takesCache, request.query.contains("cached"), consistency == .consistent {
            throw .badRequest("Cannot specify ?cached with ?consistent, conflicting semantics.")
        }
        guard datacenter == settings.datacenter else {
            throw .failed("No path to datacenter")
        }
    }

    private mutating func parseWait(
        _ query: QueryParameters,
        _ limits: HTTPLimits
    ) throws(HTTPError) {
        if let text = query["wait"], !text.isEmpty {
            guard let duration = GoDuration.parse(text) else {
                throw .badRequest("Invalid wait time")
            }
            wait = .nanoseconds(duration.rawValue)
        }
        if let text = query["index"], !text.isEmpty {
            guard let index = UInt64(text) else { throw .badRequest("Invalid index") }
            minimumIndex = LogIndex(rawValue: index)
        }
        if wait <= .zero { wait = limits.defaultQueryTime }
        if wait > limits.maximumQueryTime { wait = limits.maximumQueryTime }
    }

    private mutating func parseConsistency(_ query: QueryParameters) throws(HTTPError) {
        if query.contains("stale") { consistency = .stale }
        if query.contains("consistent") {
            guard consistency != .stale else {
                throw .badRequest("Cannot specify ?stale with ?consistent, conflicting semantics.")
            }
            consistency = .consistent
        }
    }

    /// What the waiting time becomes with its jitter of up to a sixteenth.
    ///
    /// - Source: Consul: api-docs/features/blocking.
    package func waitWithJitter(using generator: inout some RandomNumberGenerator) -> TimeAmount {
        let most = wait.nanoseconds / 16
        guard most > 0 else { return wait }
        return wait + .nanoseconds(Int64.random(in: 0...most, using: &generator))
    }

    /// The target without `index` and `wait`, with the bearer.
    func identity(of request: Request) -> String {
        var text = request.token + "\u{0}" + request.path
        for pair in request.query.pairs where pair.name != "index" && pair.name != "wait" {
            text += "\u{0}\(pair.name)\u{1}\(pair.value)"
        }
        return text
    }
}
