package import NIOCore
package import NIOHTTP1

/// What a handler gives back: an answer, a read to be evaluated, or the promise of an answer.
package enum Outcome {
    case reply(Reply)
    /// Evaluated by the connection, which also lets it wait and keeps its reply.
    case read(ReadQuery)
    /// The closure starts the work on the event loop; the responder is answered once, later.
    case pending((Responder) -> Void)
}

/// A handler runs on the connection's event loop and must not block.
package typealias Handler =
    @Sendable (_ request: Request, _ context: RequestContext) throws(HTTPError) -> Outcome

/// What handlers may use besides the request.
package struct RequestContext {
    package let services: APIServices
    package let eventLoop: any EventLoop
    /// What this event loop keeps: prepared replies and parked queries.
    let loop: LoopState
}

/// One method of a route.
package struct Endpoint: Sendable {
    package let method: HTTPMethod
    package let requirement: Requirement
    /// Bytes of the body it accepts; nil means `HTTPLimits.requestBodyBytes`.
    package let bodyLimit: BodyLimit
    package let handler: Handler

    /// Which of the limits bounds the body.
    package enum BodyLimit: Sendable {
        case standard
        case keyValue
        case transaction
    }
}

/// One path, or everything below one path, with what each method does there.
package struct Route: Sendable {
    /// An exact path, or a prefix that ends in `/`.
    package let pattern: String
    /// In the order in which `Allow` names the methods.
    package private(set) var endpoints: [Endpoint] = []

    package init(_ pattern: String) {
        self.pattern = pattern
    }

    package var isPrefix: Bool { pattern.utf8.last == UInt8(ascii: "/") }

    /// The value of the `Allow` field.
    ///
    /// - Source: Consul: `OPTIONS /v1/…` answers `OPTIONS,GET,…`.
    package var allow: String {
        (["OPTIONS"] + endpoints.map(\.method.rawValue)).joined(separator: ",")
    }

    package func endpoint(for method: HTTPMethod) -> Endpoint? {
        endpoints.first { $0.method == method }
    }

    /// Adds what `method` does, and what it needs.
    package mutating func on(
        _ method: HTTPMethod,
        _ requirement: Requirement,
        bodyLimit: Endpoint.BodyLimit = .standard,
        _ handler: @escaping Handler
    ) {
        endpoints.append(
            Endpoint(
                method: method,
                requirement: requirement,
                bodyLimit: bodyLimit,
                handler: handler
            )
        )
    }
}

/// All routes; built once when the server starts, never changed after.
package struct RouteTable: Sendable {
    private var exact: [String: Route] = [:]
    private var prefixes: [String: Route] = [:]
    /// How many slashes the longest prefix has.
    private var deepestPrefix = 0
    private let blockedEndpoints: [String]

    /// Makes an empty table; the blocked endpoints are paths as `http_config.block_endpoints` has
    /// them.
    package init(blockedEndpoints: [String] = []) {
        self.blockedEndpoints = blockedEndpoints
    }

    /// Whether there is a route for everything below `prefix`, which ends in `/`.
    func hasPrefix(_ prefix: String) -> Bool {
        prefixes[prefix] != nil
    }

    /// Whether the settings forbid the path.
    func blocks(_ path: String) -> Bool {
        blockedEndpoints.contains { path.utf8.starts(with: $0.utf8) }
    }

    /// Adds a method to the route at `pattern`, which ends in `/` when it takes a name after it.
    package mutating func add(
        _ method: HTTPMethod,
        _ pattern: String,
        _ requirement: Requirement,
        bodyLimit: Endpoint.BodyLimit = .standard,
        _ handler: @escaping Handler
    ) {
        var route = exact[pattern] ?? prefixes[pattern] ?? Route(pattern)
        precondition(route.endpoint(for: method) == nil, "\(method) \(pattern) is there twice")
        route.on(method, requirement, bodyLimit: bodyLimit, handler)
        if route.isPrefix {
            prefixes[pattern] = route
            deepestPrefix = max(deepestPrefix, pattern.utf8.count { $0 == UInt8(ascii: "/") })
        } else {
            exact[pattern] = route
        }
    }

    /// What a decoded path leads to.
    package enum Match {
        /// A route, with what follows its prefix.
        case route(Route, rest: String)
        /// The path is a prefix without its last slash.
        case needsSlash
        case nothing
    }

    /// The route for a decoded path: an exact one, or else the longest prefix.
    ///
    /// A path that only lacks the slash of a prefix is sent there before any shorter prefix is
    /// tried. Only as many slashes are looked at as the deepest prefix has, whatever clients send.
    /// - Source: Go net/http ServeMux.
    package func match(_ path: String) -> Match {
        if let route = exact[path] { return .route(route, rest: "") }
        var ends: [String.Index] = []
        for position in path.utf8.indices where path.utf8[position] == UInt8(ascii: "/") {
            ends.append(path.utf8.index(after: position))
            if ends.count == deepestPrefix { break }
        }
        if ends.count < deepestPrefix, prefixes[path + "/"] != nil { return .needsSlash }
        for end in ends.reversed() {
            if let route = prefixes[String(path[..<end])] {
                return .route(route, rest: String(path[end...]))
            }
        }
        return .nothing
    }
}
