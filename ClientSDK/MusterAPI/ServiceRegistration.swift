/// What an application tells the agent about one instance of a service.
///
/// - Source: Consul: PUT /v1/agent/service/register
public struct ServiceRegistration: Codable, Hashable, Sendable {
    /// Its id, unique on the node; empty takes the name.
    public var id: String

    /// The service's name.
    public var name: String

    /// Its tags, in their order.
    public var tags: [String]

    /// Its port, 0 for none.
    public var port: Int

    /// Its address; empty takes the node's.
    public var address: String

    /// Its metadata.
    public var meta: [String: String]

    /// Further addresses by name, as `lan` and `wan`.
    public var taggedAddresses: [String: ServiceAddress]

    /// The shares of traffic it asks for.
    public var weights: ServiceWeights?

    /// Whether others may change its tags in the catalog.
    public var enableTagOverride: Bool

    /// Its check.
    public var check: CheckDefinition?

    /// Its further checks.
    public var checks: [CheckDefinition]

    /// Empty for an ordinary service; else as `connect-proxy`.
    public var kind: String

    /// A proxy's configuration, as it was registered.
    public var proxy: JSONValue?

    /// Connect settings, as they were registered.
    public var connect: JSONValue?

    private enum CodingKeys: String, CodingKey {
        case id = "ID"
        case name = "Name"
        case tags = "Tags"
        case port = "Port"
        case address = "Address"
        case meta = "Meta"
        case taggedAddresses = "TaggedAddresses"
        case weights = "Weights"
        case enableTagOverride = "EnableTagOverride"
        case check = "Check"
        case checks = "Checks"
        case kind = "Kind"
        case proxy = "Proxy"
        case connect = "Connect"
    }

    /// Makes the value; what is left out is empty.
    public init(
        id: String = "",
        name: String,
        tags: [String] = [],
        port: Int = 0,
        address: String = "",
        meta: [String: String] = [:],
        taggedAddresses: [String: ServiceAddress] = [:],
        weights: ServiceWeights? = nil,
        enableTagOverride: Bool = false,
        check: CheckDefinition? = nil,
        checks: [CheckDefinition] = [],
        kind: String = "",
        proxy: JSONValue? = nil,
        connect: JSONValue? = nil
    ) {
        self.id = id
        self.name = name
        self.tags = tags
        self.port = port
        self.address = address
        self.meta = meta
        self.taggedAddresses = taggedAddresses
        self.weights = weights
        self.enableTagOverride = enableTagOverride
        self.check = check
        self.checks = checks
        self.kind = kind
        self.proxy = proxy
        self.connect = connect
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        id = try members.value(.id, or: "")
        name = try members.value(.name, or: "")
        tags = try members.value(.tags, or: [])
        port = try members.value(.port, or: 0)
        address = try members.value(.address, or: "")
        meta = try members.value(.meta, or: [:])
        taggedAddresses = try members.value(.taggedAddresses, or: [:])
        weights = try members.optional(.weights)
        enableTagOverride = try members.value(.enableTagOverride, or: false)
        check = try members.optional(.check)
        checks = try members.value(.checks, or: [])
        kind = try members.value(.kind, or: "")
        proxy = try members.optional(.proxy)
        connect = try members.optional(.connect)
    }

    /// Writes the value, leaving out what is empty.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(id, .id, unless: "")
        try members.encode(name, forKey: .name)
        try members.encode(tags, .tags, unless: [])
        try members.encode(port, .port, unless: 0)
        try members.encode(address, .address, unless: "")
        try members.encode(meta, .meta, unless: [:])
        try members.encode(taggedAddresses, .taggedAddresses, unless: [:])
        try members.encodeIfPresent(weights, forKey: .weights)
        try members.encode(enableTagOverride, .enableTagOverride, unless: false)
        try members.encodeIfPresent(check, forKey: .check)
        try members.encode(checks, .checks, unless: [])
        try members.encode(kind, .kind, unless: "")
        try members.encodeIfPresent(proxy, forKey: .proxy)
        try members.encodeIfPresent(connect, forKey: .connect)
    }
}

extension ServiceRegistration {
    /// The id the agent will use: the given one, or the name.
    public var effectiveID: String { id.isEmpty ? name : id }
}
