package import NIOHTTP1

/// All routes; built once when the server starts, never changed after.
package struct RouteTable: Sendable {
    private var routes: [Route] = []
    /// Where the route of a pattern is, by the pattern's hash.
    private var places: [UInt64: Int] = [:]
    /// How many slashes the longest prefix has.
    private var deepestPrefix = 0
    /// How many bytes the longest exact path has.
    private var longestExact = 0
    private let blockedEndpoints: [String]

    /// Makes an empty table; the blocked endpoints are paths as `http_config.block_endpoints` has
    /// them.
    package init(blockedEndpoints: [String] = []) {
        self.blockedEndpoints = blockedEndpoints
    }

    /// Whether there is a route for everything below `prefix`, which ends in `/`.
    func hasPrefix(_ prefix: String) -> Bool {
        place(of: prefix).map { routes[$0].isPrefix } ?? false
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
        let place = place(of: pattern) ?? insert(Route(pattern))
        precondition(
            routes[place].endpoint(for: method) == nil,
            "\(method) \(pattern) is there twice"
        )
        routes[place].on(method, requirement, bodyLimit: bodyLimit, handler)
    }

    private mutating func insert(_ route: Route) -> Int {
        let hash = PatternHash(route.pattern.utf8).value
        precondition(places[hash] == nil, "\(route.pattern) has the hash of another pattern")
        places[hash] = routes.count
        routes.append(route)
        if route.isPrefix {
            deepestPrefix = max(
                deepestPrefix,
                route.pattern.utf8.count { $0 == UInt8(ascii: "/") }
            )
        } else {
            longestExact = max(longestExact, route.pattern.utf8.count)
        }
        return routes.count - 1
    }

    private func place(of pattern: String) -> Int? {
        var pattern = pattern
        return pattern.withUTF8 { place(of: PatternHash($0), $0) }
    }

    // MARK: Matching

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
        var path = path
        return path.withUTF8 { match($0) }
    }

    private func match(_ path: UnsafeBufferPointer<UInt8>) -> Match {
        var hash = PatternHash()
        var slashes = 0
        var longest: (place: Int, end: Int)?
        var position = 0
        let mayBeExact = path.count <= longestExact
        while position < path.count, slashes < deepestPrefix || mayBeExact {
            let byte = path[position]
            hash.add(byte)
            position += 1
            guard byte == UInt8(ascii: "/"), slashes < deepestPrefix else { continue }
            slashes += 1
            let start = UnsafeBufferPointer(rebasing: path[..<position])
            if let place = place(of: hash, start) { longest = (place, position) }
        }
        if position == path.count {
            if mayBeExact, let place = place(of: hash, path), !routes[place].isPrefix {
                return .route(routes[place], rest: "")
            }
            hash.add(UInt8(ascii: "/"))
            if slashes < deepestPrefix, place(of: hash, path, hasSlash: true) != nil {
                return .needsSlash
            }
        }
        guard let longest else { return .nothing }
        let rest = UnsafeBufferPointer(rebasing: path[longest.end...])
        return .route(routes[longest.place], rest: String(decoding: rest, as: UTF8.self))
    }

    /// The route whose pattern is `text`, with a slash after it when `hasSlash` says so.
    private func place(
        of hash: PatternHash,
        _ text: UnsafeBufferPointer<UInt8>,
        hasSlash: Bool = false
    ) -> Int? {
        guard let place = places[hash.value] else { return nil }
        // Whoever makes a path collide with a pattern has not named it.
        let pattern = routes[place].pattern.utf8
        let count = text.count + (hasSlash ? 1 : 0)
        guard pattern.count == count, pattern.starts(with: text),
            !hasSlash || routes[place].isPrefix
        else { return nil }
        return place
    }
}

/// A hash that is made byte by byte, so that every beginning of a path has one on the way.
///
/// - Source: Fowler, Noll and Vo: FNV-1a.
private struct PatternHash {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    init() {}

    init(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { add(byte) }
    }

    @inline(__always)
    mutating func add(_ byte: UInt8) {
        value = (value ^ UInt64(byte)) &* 0x100_0000_01B3
    }
}
