/// How well an instance is, from best to worst.
public enum Health: UInt8, Hashable, Sendable, Comparable, CaseIterable {
    /// Every check passes.
    case passing
    /// A check warns, none is critical.
    case warning
    /// A check is critical.
    case critical
    /// An operator took the instance, or its node, out of service.
    case maintenance

    /// Whether `lhs` is better than `rhs`.
    public static func < (lhs: Health, rhs: Health) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// What tells one instance from all others: its node and its id there.
public struct InstanceID: Hashable, Sendable, Comparable {
    /// The name of the node whose agent registered the instance.
    public let node: String

    /// The instance's id, unique on its node.
    public let serviceID: String

    /// Makes an id.
    public init(node: String, serviceID: String) {
        self.node = node
        self.serviceID = serviceID
    }

    /// Orders by node, then by service id, so that every client lists instances alike.
    public static func < (lhs: InstanceID, rhs: InstanceID) -> Bool {
        (lhs.node, lhs.serviceID) < (rhs.node, rhs.serviceID)
    }
}

/// One running copy of a service.
public struct Instance: Hashable, Sendable, Identifiable {
    /// Its node and its id there.
    public var id: InstanceID

    /// Where it listens.
    public var endpoint: ServiceEndpoint

    /// Its share of the traffic relative to the others.
    ///
    /// 0 drains it: it is picked only when every instance has 0, and then all count alike.
    public var weight: UInt32

    /// How well it is.
    public var health: Health

    /// The tags it was registered with, in their order.
    public var tags: [String]

    /// The metadata it was registered with.
    public var meta: [String: String]

    /// The datacenter it runs in.
    public var datacenter: String

    /// The zone it runs in, when its metadata or its node's names one.
    public var zone: String?

    /// Makes an instance.
    public init(
        id: InstanceID,
        endpoint: ServiceEndpoint,
        weight: UInt32 = 1,
        health: Health = .passing,
        tags: [String] = [],
        meta: [String: String] = [:],
        datacenter: String = "",
        zone: String? = nil
    ) {
        self.id = id
        self.endpoint = endpoint
        self.weight = weight
        self.health = health
        self.tags = tags
        self.meta = meta
        self.datacenter = datacenter
        self.zone = zone
    }
}
