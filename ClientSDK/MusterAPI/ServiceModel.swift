/// An address and port.
public struct ServiceAddress: Codable, Hashable, Sendable {
    /// The IP address or host name.
    public var address: String

    /// The port.
    public var port: Int

    private enum CodingKeys: String, CodingKey {
        case address = "Address"
        case port = "Port"
    }

    /// Makes the value; what is left out is empty.
    public init(
        address: String = "",
        port: Int = 0
    ) {
        self.address = address
        self.port = port
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        address = try members.value(.address, or: "")
        port = try members.value(.port, or: 0)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(address, forKey: .address)
        try members.encode(port, forKey: .port)
    }
}

/// How much traffic an instance asks for, by its health.
public struct ServiceWeights: Codable, Hashable, Sendable {
    /// The weight while it passes.
    public var passing: Int

    /// The weight while a check warns.
    public var warning: Int

    private enum CodingKeys: String, CodingKey {
        case passing = "Passing"
        case warning = "Warning"
    }

    /// Makes the value; what is left out is empty.
    public init(
        passing: Int = 1,
        warning: Int = 1
    ) {
        self.passing = passing
        self.warning = warning
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        passing = try members.value(.passing, or: 1)
        warning = try members.value(.warning, or: 1)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(passing, forKey: .passing)
        try members.encode(warning, forKey: .warning)
    }
}

/// A service instance as its agent and the health endpoints list it.
public struct AgentService: Codable, Hashable, Sendable {
    /// Empty for an ordinary service; else as `connect-proxy`, `mesh-gateway`.
    public var kind: String

    /// Its id, unique on its node.
    public var id: String

    /// The service's name.
    public var name: String

    /// Its tags, in their order.
    public var tags: [String]

    /// Its metadata.
    public var meta: [String: String]

    /// Its port, 0 for none.
    public var port: Int

    /// Its address; empty when the node's counts.
    public var address: String

    /// Further addresses by name, as `lan` and `wan`.
    public var taggedAddresses: [String: ServiceAddress]

    /// The shares of traffic it asks for.
    public var weights: ServiceWeights?

    /// Whether others may change its tags in the catalog.
    public var enableTagOverride: Bool

    /// A proxy's configuration, as it was registered.
    public var proxy: JSONValue?

    /// Connect settings, as they were registered.
    public var connect: JSONValue?

    /// The hash of the registration, for blocking by hash.
    public var contentHash: String?

    /// The datacenter, where the agent gives it.
    public var datacenter: String?

    /// The index of the write that made it.
    public var createIndex: UInt64

    /// The index of the last write that changed it.
    public var modifyIndex: UInt64

    private enum CodingKeys: String, CodingKey {
        case kind = "Kind"
        case id = "ID"
        case name = "Service"
        case tags = "Tags"
        case meta = "Meta"
        case port = "Port"
        case address = "Address"
        case taggedAddresses = "TaggedAddresses"
        case weights = "Weights"
        case enableTagOverride = "EnableTagOverride"
        case proxy = "Proxy"
        case connect = "Connect"
        case contentHash = "ContentHash"
        case datacenter = "Datacenter"
        case createIndex = "CreateIndex"
        case modifyIndex = "ModifyIndex"
    }

    /// Makes the value; what is left out is empty.
    public init(
        kind: String = "",
        id: String = "",
        name: String = "",
        tags: [String] = [],
        meta: [String: String] = [:],
        port: Int = 0,
        address: String = "",
        taggedAddresses: [String: ServiceAddress] = [:],
        weights: ServiceWeights? = nil,
        enableTagOverride: Bool = false,
        proxy: JSONValue? = nil,
        connect: JSONValue? = nil,
        contentHash: String? = nil,
        datacenter: String? = nil,
        createIndex: UInt64 = 0,
        modifyIndex: UInt64 = 0
    ) {
        self.kind = kind
        self.id = id
        self.name = name
        self.tags = tags
        self.meta = meta
        self.port = port
        self.address = address
        self.taggedAddresses = taggedAddresses
        self.weights = weights
        self.enableTagOverride = enableTagOverride
        self.proxy = proxy
        self.connect = connect
        self.contentHash = contentHash
        self.datacenter = datacenter
        self.createIndex = createIndex
        self.modifyIndex = modifyIndex
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        kind = try members.value(.kind, or: "")
        id = try members.value(.id, or: "")
        name = try members.value(.name, or: "")
        tags = try members.value(.tags, or: [])
        meta = try members.value(.meta, or: [:])
        port = try members.value(.port, or: 0)
        address = try members.value(.address, or: "")
        taggedAddresses = try members.value(.taggedAddresses, or: [:])
        weights = try members.optional(.weights)
        enableTagOverride = try members.value(.enableTagOverride, or: false)
        proxy = try members.optional(.proxy)
        connect = try members.optional(.connect)
        contentHash = try members.optional(.contentHash)
        datacenter = try members.optional(.datacenter)
        createIndex = try members.value(.createIndex, or: 0)
        modifyIndex = try members.value(.modifyIndex, or: 0)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(kind, forKey: .kind)
        try members.encode(id, forKey: .id)
        try members.encode(name, forKey: .name)
        try members.encode(tags, forKey: .tags)
        try members.encode(meta, forKey: .meta)
        try members.encode(port, forKey: .port)
        try members.encode(address, forKey: .address)
        try members.encode(taggedAddresses, forKey: .taggedAddresses)
        try members.encodeIfPresent(weights, forKey: .weights)
        try members.encode(enableTagOverride, forKey: .enableTagOverride)
        try members.encodeIfPresent(proxy, forKey: .proxy)
        try members.encodeIfPresent(connect, forKey: .connect)
        try members.encodeIfPresent(contentHash, forKey: .contentHash)
        try members.encodeIfPresent(datacenter, forKey: .datacenter)
        try members.encode(createIndex, forKey: .createIndex)
        try members.encode(modifyIndex, forKey: .modifyIndex)
    }
}
