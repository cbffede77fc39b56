/// A direct write to the catalog, past any agent.
///
/// - Source: Consul: PUT /v1/catalog/register
public struct CatalogRegistration: Codable, Hashable, Sendable {
    /// The node's id.
    public var id: String

    /// The node's name.
    public var node: String

    /// The node's address.
    public var address: String

    /// The datacenter.
    public var datacenter: String

    /// Further addresses by name: `lan`, `wan` and their `_ipv4`, `_ipv6` forms.
    public var taggedAddresses: [String: String]

    /// The node's metadata.
    public var nodeMeta: [String: String]

    /// An instance to register with it.
    public var service: AgentService?

    /// A check to register with it.
    public var check: HealthCheck?

    /// Checks to register with it.
    public var checks: [HealthCheck]

    /// Whether the node itself stays as it is.
    public var skipNodeUpdate: Bool

    private enum CodingKeys: String, CodingKey {
        case id = "ID"
        case node = "Node"
        case address = "Address"
        case datacenter = "Datacenter"
        case taggedAddresses = "TaggedAddresses"
        case nodeMeta = "NodeMeta"
        case service = "Service"
        case check = "Check"
        case checks = "Checks"
        case skipNodeUpdate = "SkipNodeUpdate"
    }

    /// Makes the value; what is left out is empty.
    public init(
        id: String = "",
        node: String,
        address: String,
        datacenter: String = "",
        taggedAddresses: [String: String] = [:],
        nodeMeta: [String: String] = [:],
        service: AgentService? = nil,
        check: HealthCheck? = nil,
        checks: [HealthCheck] = [],
        skipNodeUpdate: Bool = false
    ) {
        self.id = id
        self.node = node
        self.address = address
        self.datacenter = datacenter
        self.taggedAddresses = taggedAddresses
        self.nodeMeta = nodeMeta
        self.service = service
        self.check = check
        self.checks = checks
        self.skipNodeUpdate = skipNodeUpdate
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        id = try members.value(.id, or: "")
        node = try members.value(.node, or: "")
        address = try members.value(.address, or: "")
        datacenter = try members.value(.datacenter, or: "")
        taggedAddresses = try members.value(.taggedAddresses, or: [:])
        nodeMeta = try members.value(.nodeMeta, or: [:])
        service = try members.optional(.service)
        check = try members.optional(.check)
        checks = try members.value(.checks, or: [])
        skipNodeUpdate = try members.value(.skipNodeUpdate, or: false)
    }

    /// Writes the value, leaving out what is empty.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(id, .id, unless: "")
        try members.encode(node, forKey: .node)
        try members.encode(address, forKey: .address)
        try members.encode(datacenter, .datacenter, unless: "")
        try members.encode(taggedAddresses, .taggedAddresses, unless: [:])
        try members.encode(nodeMeta, .nodeMeta, unless: [:])
        try members.encodeIfPresent(service, forKey: .service)
        try members.encodeIfPresent(check, forKey: .check)
        try members.encode(checks, .checks, unless: [])
        try members.encode(skipNodeUpdate, .skipNodeUpdate, unless: false)
    }
}

/// A direct removal from the catalog: the node, or one instance or check of it.
///
/// - Source: Consul: PUT /v1/catalog/deregister
public struct CatalogDeregistration: Codable, Hashable, Sendable {
    /// The node's name.
    public var node: String

    /// The datacenter.
    public var datacenter: String

    /// The node's address.
    public var address: String

    /// Removes only this instance and its checks.
    public var serviceID: String

    /// Removes only this check.
    public var checkID: String

    private enum CodingKeys: String, CodingKey {
        case node = "Node"
        case datacenter = "Datacenter"
        case address = "Address"
        case serviceID = "ServiceID"
        case checkID = "CheckID"
    }

    /// Makes the value; what is left out is empty.
    public init(
        node: String,
        datacenter: String = "",
        address: String = "",
        serviceID: String = "",
        checkID: String = ""
    ) {
        self.node = node
        self.datacenter = datacenter
        self.address = address
        self.serviceID = serviceID
        self.checkID = checkID
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        node = try members.value(.node, or: "")
        datacenter = try members.value(.datacenter, or: "")
        address = try members.value(.address, or: "")
        serviceID = try members.value(.serviceID, or: "")
        checkID = try members.value(.checkID, or: "")
    }

    /// Writes the value, leaving out what is empty.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(node, forKey: .node)
        try members.encode(datacenter, .datacenter, unless: "")
        try members.encode(address, .address, unless: "")
        try members.encode(serviceID, .serviceID, unless: "")
        try members.encode(checkID, .checkID, unless: "")
    }
}
