/// A step of a transaction on a key.
public struct KeyValueOperation: Codable, Hashable, Sendable {
    /// What to do: `set`, `cas`, `lock`, `unlock`, `get`, `get-tree`, `check-index`,
    /// `check-session`, `check-not-exists`, `delete`, `delete-tree`, `delete-cas`.
    public var verb: String

    /// The key.
    public var key: String

    /// The value to write.
    public var value: [UInt8]

    /// The flags to write.
    public var flags: UInt64

    /// The index that `cas` and the checks compare.
    public var index: UInt64

    /// The session that locks and checks name.
    public var session: String

    private enum CodingKeys: String, CodingKey {
        case verb = "Verb"
        case key = "Key"
        case value = "Value"
        case flags = "Flags"
        case index = "Index"
        case session = "Session"
    }

    /// Makes the value; what is left out is empty.
    public init(
        verb: String = "",
        key: String = "",
        value: [UInt8] = [],
        flags: UInt64 = 0,
        index: UInt64 = 0,
        session: String = ""
    ) {
        self.verb = verb
        self.key = key
        self.value = value
        self.flags = flags
        self.index = index
        self.session = session
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        verb = try members.value(.verb, or: "")
        key = try members.value(.key, or: "")
        value = try members.bytes(.value)
        flags = try members.value(.flags, or: 0)
        index = try members.value(.index, or: 0)
        session = try members.value(.session, or: "")
    }

    /// Writes the value, leaving out what is empty.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(verb, .verb, unless: "")
        try members.encode(key, .key, unless: "")
        try members.encode(Base64Bytes(value), forKey: .value)
        try members.encode(flags, .flags, unless: 0)
        try members.encode(index, .index, unless: 0)
        try members.encode(session, .session, unless: "")
    }
}

/// A step of a transaction on a node.
public struct NodeOperation: Codable, Hashable, Sendable {
    /// What to do: `set`, `cas`, `get`, `delete`, `delete-cas`.
    public var verb: String

    /// The node.
    public var node: CatalogNode

    private enum CodingKeys: String, CodingKey {
        case verb = "Verb"
        case node = "Node"
    }

    /// Makes the value; what is left out is empty.
    public init(
        verb: String = "",
        node: CatalogNode = CatalogNode(node: "", address: "")
    ) {
        self.verb = verb
        self.node = node
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        verb = try members.value(.verb, or: "")
        node = try members.value(.node, or: CatalogNode(node: "", address: ""))
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(verb, forKey: .verb)
        try members.encode(node, forKey: .node)
    }
}

/// A step of a transaction on a service instance.
public struct ServiceOperation: Codable, Hashable, Sendable {
    /// What to do: `set`, `cas`, `get`, `delete`, `delete-cas`.
    public var verb: String

    /// Its node's name.
    public var node: String

    /// The instance.
    public var service: AgentService

    private enum CodingKeys: String, CodingKey {
        case verb = "Verb"
        case node = "Node"
        case service = "Service"
    }

    /// Makes the value; what is left out is empty.
    public init(
        verb: String = "",
        node: String = "",
        service: AgentService = AgentService()
    ) {
        self.verb = verb
        self.node = node
        self.service = service
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        verb = try members.value(.verb, or: "")
        node = try members.value(.node, or: "")
        service = try members.value(.service, or: AgentService())
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(verb, forKey: .verb)
        try members.encode(node, forKey: .node)
        try members.encode(service, forKey: .service)
    }
}

/// A step of a transaction on a check.
public struct CheckOperation: Codable, Hashable, Sendable {
    /// What to do: `set`, `cas`, `get`, `delete`, `delete-cas`.
    public var verb: String

    /// The check.
    public var check: HealthCheck

    private enum CodingKeys: String, CodingKey {
        case verb = "Verb"
        case check = "Check"
    }

    /// Makes the value; what is left out is empty.
    public init(
        verb: String = "",
        check: HealthCheck = HealthCheck()
    ) {
        self.verb = verb
        self.check = check
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        verb = try members.value(.verb, or: "")
        check = try members.value(.check, or: HealthCheck())
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(verb, forKey: .verb)
        try members.encode(check, forKey: .check)
    }
}
