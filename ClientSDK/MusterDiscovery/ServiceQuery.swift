public import MusterBalancing
import MusterAPI

/// Which instances of a service are wanted; equal queries share one watch.
public struct ServiceQuery: Hashable, Sendable {
    /// How fresh the registry's answers must be.
    public enum Freshness: Hashable, Sendable {
        /// The leader answers from its own state.
        case standard
        /// The leader makes sure that it still is the leader first.
        case consistent
        /// Any server answers, unless it has not heard from the leader for longer than this.
        case stale(maxLag: Duration)
    }

    /// The service's name.
    public var name: String

    /// The tags an instance must have, all of them.
    public var tags: [String]

    /// The worst health an instance may have.
    public var minimumHealth: Health

    /// An expression that each instance must satisfy, like `Service.Meta.version == "2"`.
    public var filter: String?

    /// The metadata an instance must have, all of these pairs.
    public var meta: [String: String]

    /// The metadata an instance's node must have, all of these pairs.
    public var nodeMeta: [String: String]

    /// Only the instances nearest to a node; nil is all of them.
    public var near: Proximity?

    /// Where to look, the best first.
    ///
    /// A later datacenter is asked, and used, only while none before it has a healthy instance and
    /// answers. Empty means the agent's own.
    public var datacenters: [Datacenter]

    /// How fresh the answers must be.
    public var freshness: Freshness

    /// The metadata key that names an instance's zone, on the instance or else on its node.
    public var zoneKey: String

    /// Makes a query; the default wants all instances whose checks pass.
    public init(
        _ name: String,
        tags: [String] = [],
        minimumHealth: Health = .passing,
        filter: String? = nil,
        meta: [String: String] = [:],
        nodeMeta: [String: String] = [:],
        near: Proximity? = nil,
        datacenters: [Datacenter] = [.local],
        freshness: Freshness = .stale(maxLag: .seconds(10)),
        zoneKey: String = "zone"
    ) {
        self.name = name
        self.tags = tags
        self.minimumHealth = minimumHealth
        self.filter = filter
        self.meta = meta
        self.nodeMeta = nodeMeta
        self.near = near
        self.datacenters = datacenters
        self.freshness = freshness
        self.zoneKey = zoneKey
    }

    /// The request's path and parameters, blocking aside.
    var path: String { "/v1/health/service/" + RegistryRequest.encode(name) }

    var parameters: [(name: String, value: String?)] {
        tags.map { ("tag", $0) } + (minimumHealth == .passing ? [("passing", "1")] : [])
    }

    /// The filter and what stands for the metadata in one expression, nil for none.
    var expression: String? {
        let pairs = meta.sorted { $0.key < $1.key }.map { key, value in
            "Service.Meta[\(Self.quote(key))] == \(Self.quote(value))"
        }
        guard let filter, !filter.isEmpty else {
            return pairs.isEmpty ? nil : pairs.joined(separator: " and ")
        }
        return pairs.isEmpty ? filter : (pairs + ["(\(filter))"]).joined(separator: " and ")
    }

    /// What sets the query apart from others of the same name, in a short text.
    var label: String {
        var parts = tags.map { "tag=\($0)" }
        if minimumHealth != .passing { parts.append("health=\(minimumHealth)") }
        if let expression { parts.append("filter=\(expression)") }
        parts += nodeMeta.sorted { $0.key < $1.key }.map { "node-meta=\($0.key):\($0.value)" }
        if let near { parts.append("near=\(near.count):\(near.node)") }
        if distinctDatacenters != [.local] {
            parts.append("dc=" + distinctDatacenters.map(\.description).joined(separator: ","))
        }
        return parts.joined(separator: " ")
    }

    /// The datacenters, each once and at least one.
    var distinctDatacenters: [Datacenter] {
        var seen: Set<Datacenter> = []
        let distinct = datacenters.filter { seen.insert($0).inserted }
        return distinct.isEmpty ? [.local] : distinct
    }

    /// A text as the filter language writes it.
    ///
    /// - Source: Go strconv.Unquote; go-bexpr's grammar knows no `\"` within quotes.
    private static func quote(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\", "\0"..."\u{1f}", "\u{7f}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

/// A datacenter by name, or the agent's own.
public struct Datacenter: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The name, nil for the agent's own or the one that the client is configured with.
    public let name: String?

    /// The agent's own datacenter, or the one that the client is configured with.
    public static let local = Datacenter(name: nil)

    private init(name: String?) { self.name = name }

    /// The datacenter of that name.
    public init(_ name: String) { self.name = name }

    /// The datacenter of that name.
    public init(stringLiteral name: String) { self.name = name }

    /// The name, `local` for the agent's own.
    public var description: String { name ?? "local" }
}

/// The instances whose nodes are nearest to a node, by the network's measured round trips.
public struct Proximity: Hashable, Sendable {
    /// The node, `_agent` for the agent's own.
    public var node: String

    /// How many instances count at most.
    public var count: Int

    /// The `count` instances nearest to `node`; less than one counts as one.
    public init(_ count: Int, to node: String = "_agent") {
        self.node = node
        self.count = max(1, count)
    }
}

extension ServiceQuery: ExpressibleByStringLiteral {
    /// A query for the passing instances of the service of that name.
    public init(stringLiteral name: String) { self.init(name) }
}
