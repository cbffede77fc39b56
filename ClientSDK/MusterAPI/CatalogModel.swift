/// A node.
///
/// - Source: Consul: GET /v1/catalog/nodes
public struct CatalogNode: Codable, Hashable, Sendable {
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
    public var meta: [String: String]

    /// The index of the write that made it.
    public var createIndex: UInt64

    /// The index of the last write that changed it.
    public var modifyIndex: UInt64

    private enum CodingKeys: String, CodingKey {
        case id = "ID"
        case node = "Node"
        case address = "Address"
        case datacenter = "Datacenter"
        case taggedAddresses = "TaggedAddresses"
        case meta = "Meta"
        case createIndex = "CreateIndex"
        case modifyIndex = "ModifyIndex"
    }

    /// Makes the value; what is left out is empty.
    public init(
        id: String = "",
        node: String,
        address: String,
        datacenter: String = "",
        taggedAddresses: [String: String] = [:],
        meta: [String: String] = [:],
        createIndex: UInt64 = 0,
        modifyIndex: UInt64 = 0
    ) {
        self.id = id
        self.node = node
        self.address = address
        self.datacenter = datacenter
        self.taggedAddresses = taggedAddresses
        self.meta = meta
        self.createIndex = createIndex
        self.modifyIndex = modifyIndex
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        id = try members.value(.id, or: "")
        node = try members.value(.node, or: "")
        address = try members.value(.address, or: "")
        datacenter = try members.value(.datacenter, or: "")
        taggedAddresses = try members.value(.taggedAddresses, or: [:])
        meta = try members.value(.meta, or: [:])
        createIndex = try members.value(.createIndex, or: 0)
        modifyIndex = try members.value(.modifyIndex, or: 0)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(id, forKey: .id)
        try members.encode(node, forKey: .node)
        try members.encode(address, forKey: .address)
        try members.encode(datacenter, forKey: .datacenter)
        try members.encode(taggedAddresses, forKey: .taggedAddresses)
        try members.encode(meta, forKey: .meta)
        try members.encode(createIndex, forKey: .createIndex)
        try members.encode(modifyIndex, forKey: .modifyIndex)
    }
}

/// One instance of a service, with its node, as the catalog lists it.
///
/// - Source: Consul: GET /v1/catalog/service/:service
public struct CatalogService: Codable, Hashable, Sendable {
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

    /// Empty for an ordinary service.
    public var kind: String

    /// The instance's id, unique on its node.
    public var serviceID: String

    /// The service's name.
    public var serviceName: String

    /// The instance's tags.
    public var serviceTags: [String]

    /// The instance's address; empty when the node's counts.
    public var serviceAddress: String

    /// The shares of traffic it asks for.
    public var serviceWeights: ServiceWeights?

    /// The instance's metadata.
    public var serviceMeta: [String: String]

    /// The instance's port.
    public var servicePort: Int

    /// Further addresses of the instance.
    public var serviceTaggedAddresses: [String: ServiceAddress]

    /// Whether others may change its tags.
    public var serviceEnableTagOverride: Bool

    /// A proxy's configuration.
    public var serviceProxy: JSONValue?

    /// Connect settings.
    public var serviceConnect: JSONValue?

    /// The index of the write that made it.
    public var createIndex: UInt64

    /// The index of the last write that changed it.
    public var modifyIndex: UInt64

    private enum CodingKeys: String, CodingKey {
        case id = "ID"
        case node = "Node"
        case address = "Address"
        case datacenter = "Datacenter"
        case taggedAddresses = "TaggedAddresses"
        case nodeMeta = "NodeMeta"
        case kind = "ServiceKind"
        case serviceID = "ServiceID"
        case serviceName = "ServiceName"
        case serviceTags = "ServiceTags"
        case serviceAddress = "ServiceAddress"
        case serviceWeights = "ServiceWeights"
        case serviceMeta = "ServiceMeta"
        case servicePort = "ServicePort"
        case serviceTaggedAddresses = "ServiceTaggedAddresses"
        case serviceEnableTagOverride = "ServiceEnableTagOverride"
        case serviceProxy = "ServiceProxy"
        case serviceConnect = "ServiceConnect"
        case createIndex = "CreateIndex"
        case modifyIndex = "ModifyIndex"
    }

    /// Makes the value; what is left out is empty.
    public init(
        id: String = "",
        node: String = "",
        address: String = "",
        datacenter: String = "",
        taggedAddresses: [String: String] = [:],
        nodeMeta: [String: String] = [:],
        kind: String = "",
        serviceID: String = "",
        serviceName: String = "",
        serviceTags: [String] = [],
        serviceAddress: String = "",
        serviceWeights: ServiceWeights? = nil,
        serviceMeta: [String: String] = [:],
        servicePort: Int = 0,
        serviceTaggedAddresses: [String: ServiceAddress] = [:],
        serviceEnableTagOverride: Bool = false,
        serviceProxy: JSONValue? = nil,
        serviceConnect: JSONValue? = nil,
        createIndex: UInt64 = 0,
        modifyIndex: UInt64 = 0
    ) {
        self.id = id
        self.node = node
        self.address = address
        self.datacenter = datacenter
        self.taggedAddresses = taggedAddresses
        self.nodeMeta = nodeMeta
        self.kind = kind
        self.serviceID = serviceID
        self.serviceName = serviceName
        self.serviceTags = serviceTags
        self.serviceAddress = serviceAddress
        self.serviceWeights = serviceWeights
        self.serviceMeta = serviceMeta
        self.servicePort = servicePort
        self.serviceTaggedAddresses = serviceTaggedAddresses
        self.serviceEnableTagOverride = serviceEnableTagOverride
        self.serviceProxy = serviceProxy
        self.serviceConnect = serviceConnect
        self.createIndex = createIndex
        self.modifyIndex = modifyIndex
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
        kind = try members.value(.kind, or: "")
        serviceID = try members.value(.serviceID, or: "")
        serviceName = try members.value(.serviceName, or: "")
        serviceTags = try members.value(.serviceTags, or: [])
        serviceAddress = try members.value(.serviceAddress, or: "")
        serviceWeights = try members.optional(.serviceWeights)
        serviceMeta = try members.value(.serviceMeta, or: [:])
        servicePort = try members.value(.servicePort, or: 0)
        serviceTaggedAddresses = try members.value(.serviceTaggedAddresses, or: [:])
        serviceEnableTagOverride = try members.value(.serviceEnableTagOverride, or: false)
        serviceProxy = try members.optional(.serviceProxy)
        serviceConnect = try members.optional(.serviceConnect)
        createIndex = try members.value(.createIndex, or: 0)
        modifyIndex = try members.value(.modifyIndex, or: 0)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(id, forKey: .id)
        try members.encode(node, forKey: .node)
        try members.encode(address, forKey: .address)
        try members.encode(datacenter, forKey: .datacenter)
        try members.encode(taggedAddresses, forKey: .taggedAddresses)
        try members.encode(nodeMeta, forKey: .nodeMeta)
        try members.encode(kind, forKey: .kind)
        try members.encode(serviceID, forKey: .serviceID)
        try members.encode(serviceName, forKey: .serviceName)
        try members.encode(serviceTags, forKey: .serviceTags)
        try members.encode(serviceAddress, forKey: .serviceAddress)
        try members.encodeIfPresent(serviceWeights, forKey: .serviceWeights)
        try members.encode(serviceMeta, forKey: .serviceMeta)
        try members.encode(servicePort, forKey: .servicePort)
        try members.encode(serviceTaggedAddresses, forKey: .serviceTaggedAddresses)
        try members.encode(serviceEnableTagOverride, forKey: .serviceEnableTagOverride)
        try members.encodeIfPresent(serviceProxy, forKey: .serviceProxy)
        try members.encodeIfPresent(serviceConnect, forKey: .serviceConnect)
        try members.encode(createIndex, forKey: .createIndex)
        try members.encode(modifyIndex, forKey: .modifyIndex)
    }
}

/// A node and the instances on it.
///
/// - Source: Consul: GET /v1/catalog/node/:node
public struct NodeServices: Codable, Hashable, Sendable {
    /// The node.
    public var node: CatalogNode?

    /// The instances by id.
    public var services: [String: AgentService]

    private enum CodingKeys: String, CodingKey {
        case node = "Node"
        case services = "Services"
    }

    /// Makes the value; what is left out is empty.
    public init(
        node: CatalogNode? = nil,
        services: [String: AgentService] = [:]
    ) {
        self.node = node
        self.services = services
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        node = try members.optional(.node)
        services = try members.value(.services, or: [:])
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encodeIfPresent(node, forKey: .node)
        try members.encode(services, forKey: .services)
    }
}

/// A node and the instances on it, as a list.
///
/// - Source: Consul: GET /v1/catalog/node-services/:node
public struct NodeServiceList: Codable, Hashable, Sendable {
    /// The node.
    public var node: CatalogNode?

    /// The instances.
    public var services: [AgentService]

    private enum CodingKeys: String, CodingKey {
        case node = "Node"
        case services = "Services"
    }

    /// Makes the value; what is left out is empty.
    public init(
        node: CatalogNode? = nil,
        services: [AgentService] = []
    ) {
        self.node = node
        self.services = services
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        node = try members.optional(.node)
        services = try members.value(.services, or: [])
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encodeIfPresent(node, forKey: .node)
        try members.encode(services, forKey: .services)
    }
}
