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

    /// The datacenter; nil is the agent's own.
    public var datacenter: String?

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
        datacenter: String? = nil,
        freshness: Freshness = .stale(maxLag: .seconds(10)),
        zoneKey: String = "zone"
    ) {
        self.name = name
        self.tags = tags
        self.minimumHealth = minimumHealth
        self.filter = filter
        self.datacenter = datacenter
        self.freshness = freshness
        self.zoneKey = zoneKey
    }

    /// The request's path and parameters, blocking aside.
    var path: String { "/v1/health/service/" + RegistryRequest.encode(name) }

    var parameters: [(name: String, value: String?)] {
        tags.map { ("tag", $0) } + (minimumHealth == .passing ? [("passing", "1")] : [])
    }
}

extension ServiceQuery: ExpressibleByStringLiteral {
    /// A query for the passing instances of the service of that name.
    public init(stringLiteral name: String) { self.init(name) }
}
