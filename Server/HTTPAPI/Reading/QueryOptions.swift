package import Model
package import NIOCore
import NIOHTTP1
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
    /// How stale a stale read may be; nil when that does not matter.
    package var maximumStaleness: Nanoseconds?
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

    /// A read that failed still tells about index and leader.
    package var announcesFailures = true

    /// Reads the parameters; throws the texts Consul answers with status 400.
    ///
    /// - Source: Consul: `parse` of its HTTP layer, as observed on 1.8.7.
    package init(_ request: Request, _ context: RequestContext) throws(HTTPError) {
        let settings = context.services.settings
        datacenter = request.datacenter(settings)
        filter = request.query["filter"] ?? ""
        near = request.query["near"] ?? ""
        if near == "_agent" { near = settings.nodeName }
        for pair in request.query.all("node-meta") {
            let parts = pair.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? String(parts[1]) : ""
            nodeMeta[parts.first.map(String.init) ?? ""] = value
        }
        try parseConsistency(request.query)
        try parseWait(request.query, settings.limits)
    }

    /// The same for routes that may know `cached` and whose replies name their consistency.
    package static func announced(
        _ request: Request,
        _ context: RequestContext,
        takesCache: Bool = false,
        takesNamespace: Bool = false
    ) throws(HTTPError) -> QueryOptions {
        if !takesNamespace { try request.refuseNamespace() }
        var options = try QueryOptions(request, context)
        options.announcesConsistency = true
        if request.query.contains("cached") {
            guard options.consistency != .consistent else {
                throw .badRequest("Cannot specify ?cached with ?consistent, conflicting semantics.")
            }
            try CacheControl.check(request.headers["Cache-Control"])
            options.usesCache = takesCache
        }
        return options
    }

    private mutating func parseConsistency(_ query: QueryParameters) throws(HTTPError) {
        if query.contains("stale") { consistency = .stale }
        let isConsistent = query.contains("consistent")
        if let text = query["max_stale"], !text.isEmpty {
            guard let most = GoDuration.parse(text) else {
                throw .badRequest("Invalid max_stale value \(GoQuote.quote(text))")
            }
            consistency = .stale
            if most > .zero { maximumStaleness = most }
        }
        guard isConsistent else { return }
        guard consistency != .stale else {
            throw .badRequest("Cannot specify ?stale with ?consistent, conflicting semantics.")
        }
        consistency = .consistent
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
            guard text.utf8.first != UInt8(ascii: "+"), let index = UInt64(text) else {
                throw .badRequest("Invalid index")
            }
            minimumIndex = LogIndex(rawValue: index)
        }
        if wait <= .zero { wait = limits.defaultQueryTime }
        if wait > limits.maximumQueryTime { wait = limits.maximumQueryTime }
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

    /// Path, datacenter and what the servers evaluate; `passing` and the like are applied later.
    func cacheIdentity(of request: Request) -> String {
        guard usesCache else { return "" }
        var text = request.token + "\u{0}" + request.path + "\u{0}" + datacenter
        for name in ["tag", "near", "node-meta", "filter"] {
            for value in request.query.all(name) { text += "\u{0}\(name)\u{1}\(value)" }
        }
        return text
    }
}
