/// How fresh an answer must be.
public enum Consistency: Hashable, Sendable {
    /// The leader answers from its own state; in rare moments a deposed leader does.
    case standard
    /// The leader makes sure that it still is the leader first.
    case consistent
    /// Any server answers, however far behind it is.
    case stale
}

/// How a query is asked.
public struct QueryOptions: Hashable, Sendable {
    /// The datacenter to ask; nil is the agent's own.
    public var datacenter: String?

    /// How fresh the answer must be.
    public var consistency: Consistency

    /// Blocks until something newer than this index is there; nil or 0 asks for the state now.
    public var index: UInt64?

    /// Blocks until the content differs from the one that had this hash (agent endpoints).
    public var hash: String?

    /// How long a blocking query may wait; nil is the registry's default of five minutes.
    ///
    /// A query that says so, with an index or not yet, is never sent again by the client: whoever
    /// blocks asks again in a loop of its own.
    public var wait: Duration?

    /// The token, instead of the client's.
    public var token: String?

    /// Sorts by network distance from this node; `_agent` is the agent's own.
    public var near: String?

    /// Only nodes with these metadata pairs.
    public var nodeMeta: [String: String]

    /// An expression that each entry must satisfy, like `Service.Meta.zone == "a"`.
    public var filter: String?

    /// Answers from the agent's cache, when given.
    public var cache: CacheControl?

    /// Makes options; the defaults ask the agent's own datacenter for its state now.
    public init(
        datacenter: String? = nil,
        consistency: Consistency = .standard,
        index: UInt64? = nil,
        hash: String? = nil,
        wait: Duration? = nil,
        token: String? = nil,
        near: String? = nil,
        nodeMeta: [String: String] = [:],
        filter: String? = nil,
        cache: CacheControl? = nil
    ) {
        self.datacenter = datacenter
        self.consistency = consistency
        self.index = index
        self.hash = hash
        self.wait = wait
        self.token = token
        self.near = near
        self.nodeMeta = nodeMeta
        self.filter = filter
        self.cache = cache
    }

    /// Whether the registry may hold the answer back.
    var isBlocking: Bool { (index ?? 0) > 0 || !(hash ?? "").isEmpty }
}

/// What the agent's cache may answer with.
public struct CacheControl: Hashable, Sendable {
    /// How old the answer may be; nil accepts any age.
    public var maxAge: Duration?

    /// How old it may be when the servers do not answer.
    public var staleIfError: Duration?

    /// Makes a cache control.
    public init(maxAge: Duration? = nil, staleIfError: Duration? = nil) {
        self.maxAge = maxAge
        self.staleIfError = staleIfError
    }
}

/// How a write is asked for.
public struct WriteOptions: Hashable, Sendable {
    /// The datacenter to write to; nil is the agent's own.
    public var datacenter: String?

    /// The token, instead of the client's.
    public var token: String?

    /// Makes options; the defaults write to the agent's own datacenter.
    public init(datacenter: String? = nil, token: String? = nil) {
        self.datacenter = datacenter
        self.token = token
    }
}

extension RegistryRequest {
    /// Adds what the options say to the query string and the headers.
    ///
    /// - Source: Consul: HTTP API, "Blocking Queries", "Consistency Modes", "Agent Caching".
    mutating func apply(_ options: QueryOptions) {
        add("dc", options.datacenter)
        switch options.consistency {
        case .standard: break
        case .consistent: query.append(("consistent", nil))
        case .stale: query.append(("stale", nil))
        }
        if let index = options.index, index > 0 { add("index", String(index)) }
        if let hash = options.hash, !hash.isEmpty { add("hash", hash) }
        isWatch = options.isBlocking || options.wait != nil
        if options.isBlocking {
            let wait = min(options.wait ?? Limits.defaultWait, Limits.longestWait)
            if options.wait != nil { add("wait", "\(wait.wholeMilliseconds)ms") }
            timeout = wait + wait / 16 + Limits.waitGrace
        }
        add("near", options.near)
        for (key, value) in options.nodeMeta.sorted(by: { $0.key < $1.key }) {
            add("node-meta", "\(key):\(value)")
        }
        add("filter", options.filter)
        if let cache = options.cache {
            query.append(("cached", nil))
            var directives: [String] = []
            if let age = cache.maxAge { directives.append("max-age=\(age.components.seconds)") }
            if let age = cache.staleIfError {
                directives.append("stale-if-error=\(age.components.seconds)")
            }
            if !directives.isEmpty {
                headers.append(("Cache-Control", directives.joined(separator: ", ")))
            }
        }
        token = options.token
    }

    /// Adds what the options say to the query string and the headers.
    mutating func apply(_ options: WriteOptions) {
        add("dc", options.datacenter)
        token = options.token
    }
}
