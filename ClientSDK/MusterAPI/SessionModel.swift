/// What a new session is to be.
///
/// - Source: Consul: PUT /v1/session/create
public struct SessionRequest: Codable, Hashable, Sendable {
    /// Its name for people.
    public var name: String

    /// Its node; empty is the agent's.
    public var node: String

    /// How long a lock it loses stays locked; nil is 15 seconds.
    public var lockDelay: Duration?

    /// What becomes of its locks: `release` (default) or `delete` the keys.
    public var behavior: String

    /// Within what time it must be renewed, 10 seconds to a day; nil is never.
    public var ttl: Duration?

    /// The ids of node checks it depends on; nil is `serfHealth`.
    public var checks: [String]?

    /// The same, the newer name.
    public var nodeChecks: [String]?

    /// The service checks it depends on.
    public var serviceChecks: [JSONValue]?

    private enum CodingKeys: String, CodingKey {
        case name = "Name"
        case node = "Node"
        case lockDelay = "LockDelay"
        case behavior = "Behavior"
        case ttl = "TTL"
        case checks = "Checks"
        case nodeChecks = "NodeChecks"
        case serviceChecks = "ServiceChecks"
    }

    /// Makes the value; what is left out is empty.
    public init(
        name: String = "",
        node: String = "",
        lockDelay: Duration? = nil,
        behavior: String = "",
        ttl: Duration? = nil,
        checks: [String]? = nil,
        nodeChecks: [String]? = nil,
        serviceChecks: [JSONValue]? = nil
    ) {
        self.name = name
        self.node = node
        self.lockDelay = lockDelay
        self.behavior = behavior
        self.ttl = ttl
        self.checks = checks
        self.nodeChecks = nodeChecks
        self.serviceChecks = serviceChecks
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        name = try members.value(.name, or: "")
        node = try members.value(.node, or: "")
        lockDelay = try members.duration(.lockDelay)
        behavior = try members.value(.behavior, or: "")
        ttl = try members.duration(.ttl)
        checks = try members.optional(.checks)
        nodeChecks = try members.optional(.nodeChecks)
        serviceChecks = try members.optional(.serviceChecks)
    }

    /// Writes the value, leaving out what is empty.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(name, .name, unless: "")
        try members.encode(node, .node, unless: "")
        try members.encode(lockDelay, .lockDelay)
        try members.encode(behavior, .behavior, unless: "")
        try members.encode(ttl, .ttl)
        try members.encodeIfPresent(checks, forKey: .checks)
        try members.encodeIfPresent(nodeChecks, forKey: .nodeChecks)
        try members.encodeIfPresent(serviceChecks, forKey: .serviceChecks)
    }
}

/// A session.
///
/// - Source: Consul: GET /v1/session/info/:uuid
public struct SessionEntry: Codable, Hashable, Sendable {
    /// Its id.
    public var id: String

    /// Its name for people.
    public var name: String

    /// Its node.
    public var node: String

    /// How long a lock it loses stays locked.
    public var lockDelay: Duration

    /// What becomes of its locks: `release` or `delete` the keys.
    public var behavior: String

    /// Within what time it must be renewed; zero is never.
    public var ttl: Duration

    /// The node checks it depends on.
    public var nodeChecks: [String]

    /// The service checks it depends on.
    public var serviceChecks: [JSONValue]

    /// The index of the write that made it.
    public var createIndex: UInt64

    /// The index of the last write that changed it.
    public var modifyIndex: UInt64

    private enum CodingKeys: String, CodingKey {
        case id = "ID"
        case name = "Name"
        case node = "Node"
        case lockDelay = "LockDelay"
        case behavior = "Behavior"
        case ttl = "TTL"
        case nodeChecks = "NodeChecks"
        case serviceChecks = "ServiceChecks"
        case createIndex = "CreateIndex"
        case modifyIndex = "ModifyIndex"
    }

    /// Makes the value; what is left out is empty.
    public init(
        id: String = "",
        name: String = "",
        node: String = "",
        lockDelay: Duration = .zero,
        behavior: String = "",
        ttl: Duration = .zero,
        nodeChecks: [String] = [],
        serviceChecks: [JSONValue] = [],
        createIndex: UInt64 = 0,
        modifyIndex: UInt64 = 0
    ) {
        self.id = id
        self.name = name
        self.node = node
        self.lockDelay = lockDelay
        self.behavior = behavior
        self.ttl = ttl
        self.nodeChecks = nodeChecks
        self.serviceChecks = serviceChecks
        self.createIndex = createIndex
        self.modifyIndex = modifyIndex
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        id = try members.value(.id, or: "")
        name = try members.value(.name, or: "")
        node = try members.value(.node, or: "")
        lockDelay = try members.duration(.lockDelay) ?? .zero
        behavior = try members.value(.behavior, or: "")
        ttl = try members.duration(.ttl) ?? .zero
        nodeChecks = try members.value(.nodeChecks, or: [])
        serviceChecks = try members.value(.serviceChecks, or: [])
        createIndex = try members.value(.createIndex, or: 0)
        modifyIndex = try members.value(.modifyIndex, or: 0)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(id, forKey: .id)
        try members.encode(name, forKey: .name)
        try members.encode(node, forKey: .node)
        try members.encode(GoDuration(lockDelay), forKey: .lockDelay)
        try members.encode(behavior, forKey: .behavior)
        try members.encode(GoDuration(ttl), forKey: .ttl)
        try members.encode(nodeChecks, forKey: .nodeChecks)
        try members.encode(serviceChecks, forKey: .serviceChecks)
        try members.encode(createIndex, forKey: .createIndex)
        try members.encode(modifyIndex, forKey: .modifyIndex)
    }
}
