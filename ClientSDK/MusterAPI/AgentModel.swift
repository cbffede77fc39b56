/// A member of the cluster as gossip knows it.
///
/// - Source: Consul: GET /v1/agent/members
public struct AgentMember: Codable, Hashable, Sendable {
    /// The node's name.
    public var name: String

    /// Its address.
    public var address: String

    /// Its gossip port.
    public var port: Int

    /// What it says of itself: `role`, `dc`, `id`, `build` and more.
    public var tags: [String: String]

    /// Its state as a number; see ``statusName``.
    public var status: Int

    /// The oldest gossip protocol it speaks.
    public var protocolMin: Int

    /// The newest gossip protocol it speaks.
    public var protocolMax: Int

    /// The gossip protocol it uses.
    public var protocolCurrent: Int

    /// The oldest delegate protocol it speaks.
    public var delegateMin: Int

    /// The newest delegate protocol it speaks.
    public var delegateMax: Int

    /// The delegate protocol it uses.
    public var delegateCurrent: Int

    private enum CodingKeys: String, CodingKey {
        case name = "Name"
        case address = "Addr"
        case port = "Port"
        case tags = "Tags"
        case status = "Status"
        case protocolMin = "ProtocolMin"
        case protocolMax = "ProtocolMax"
        case protocolCurrent = "ProtocolCur"
        case delegateMin = "DelegateMin"
        case delegateMax = "DelegateMax"
        case delegateCurrent = "DelegateCur"
    }

    /// Makes the value; what is left out is empty.
    public init(
        name: String = "",
        address: String = "",
        port: Int = 0,
        tags: [String: String] = [:],
        status: Int = 0,
        protocolMin: Int = 0,
        protocolMax: Int = 0,
        protocolCurrent: Int = 0,
        delegateMin: Int = 0,
        delegateMax: Int = 0,
        delegateCurrent: Int = 0
    ) {
        self.name = name
        self.address = address
        self.port = port
        self.tags = tags
        self.status = status
        self.protocolMin = protocolMin
        self.protocolMax = protocolMax
        self.protocolCurrent = protocolCurrent
        self.delegateMin = delegateMin
        self.delegateMax = delegateMax
        self.delegateCurrent = delegateCurrent
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        name = try members.value(.name, or: "")
        address = try members.value(.address, or: "")
        port = try members.value(.port, or: 0)
        tags = try members.value(.tags, or: [:])
        status = try members.value(.status, or: 0)
        protocolMin = try members.value(.protocolMin, or: 0)
        protocolMax = try members.value(.protocolMax, or: 0)
        protocolCurrent = try members.value(.protocolCurrent, or: 0)
        delegateMin = try members.value(.delegateMin, or: 0)
        delegateMax = try members.value(.delegateMax, or: 0)
        delegateCurrent = try members.value(.delegateCurrent, or: 0)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(name, forKey: .name)
        try members.encode(address, forKey: .address)
        try members.encode(port, forKey: .port)
        try members.encode(tags, forKey: .tags)
        try members.encode(status, forKey: .status)
        try members.encode(protocolMin, forKey: .protocolMin)
        try members.encode(protocolMax, forKey: .protocolMax)
        try members.encode(protocolCurrent, forKey: .protocolCurrent)
        try members.encode(delegateMin, forKey: .delegateMin)
        try members.encode(delegateMax, forKey: .delegateMax)
        try members.encode(delegateCurrent, forKey: .delegateCurrent)
    }
}

extension AgentMember {
    /// The state's name as the command line shows it.
    public var statusName: String {
        switch status {
        case 0: "none"
        case 1: "alive"
        case 2: "leaving"
        case 3: "left"
        case 4: "failed"
        default: "unknown"
        }
    }
}

/// The part of an agent's configuration that every agent shows.
public struct AgentIdentity: Codable, Hashable, Sendable {
    /// Its datacenter.
    public var datacenter: String

    /// Its node's name.
    public var nodeName: String

    /// Its node's id.
    public var nodeID: String

    /// The source revision it was built from.
    public var revision: String

    /// Whether it is a server.
    public var server: Bool

    /// Its version.
    public var version: String

    private enum CodingKeys: String, CodingKey {
        case datacenter = "Datacenter"
        case nodeName = "NodeName"
        case nodeID = "NodeID"
        case revision = "Revision"
        case server = "Server"
        case version = "Version"
    }

    /// Makes the value; what is left out is empty.
    public init(
        datacenter: String = "",
        nodeName: String = "",
        nodeID: String = "",
        revision: String = "",
        server: Bool = false,
        version: String = ""
    ) {
        self.datacenter = datacenter
        self.nodeName = nodeName
        self.nodeID = nodeID
        self.revision = revision
        self.server = server
        self.version = version
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        datacenter = try members.value(.datacenter, or: "")
        nodeName = try members.value(.nodeName, or: "")
        nodeID = try members.value(.nodeID, or: "")
        revision = try members.value(.revision, or: "")
        server = try members.value(.server, or: false)
        version = try members.value(.version, or: "")
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(datacenter, forKey: .datacenter)
        try members.encode(nodeName, forKey: .nodeName)
        try members.encode(nodeID, forKey: .nodeID)
        try members.encode(revision, forKey: .revision)
        try members.encode(server, forKey: .server)
        try members.encode(version, forKey: .version)
    }
}

/// What an agent says of itself.
///
/// - Source: Consul: GET /v1/agent/self
public struct AgentSelf: Codable, Hashable, Sendable {
    /// Its identity.
    public var config: AgentIdentity?

    /// Its whole configuration, secrets hidden.
    public var debugConfig: JSONValue?

    /// Its network coordinate.
    public var coordinate: Coordinate?

    /// Its own membership.
    public var member: AgentMember?

    /// Counters by subsystem.
    public var stats: [String: [String: String]]

    /// Its node's metadata.
    public var meta: [String: String]

    private enum CodingKeys: String, CodingKey {
        case config = "Config"
        case debugConfig = "DebugConfig"
        case coordinate = "Coord"
        case member = "Member"
        case stats = "Stats"
        case meta = "Meta"
    }

    /// Makes the value; what is left out is empty.
    public init(
        config: AgentIdentity? = nil,
        debugConfig: JSONValue? = nil,
        coordinate: Coordinate? = nil,
        member: AgentMember? = nil,
        stats: [String: [String: String]] = [:],
        meta: [String: String] = [:]
    ) {
        self.config = config
        self.debugConfig = debugConfig
        self.coordinate = coordinate
        self.member = member
        self.stats = stats
        self.meta = meta
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        config = try members.optional(.config)
        debugConfig = try members.optional(.debugConfig)
        coordinate = try members.optional(.coordinate)
        member = try members.optional(.member)
        stats = try members.value(.stats, or: [:])
        meta = try members.value(.meta, or: [:])
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encodeIfPresent(config, forKey: .config)
        try members.encodeIfPresent(debugConfig, forKey: .debugConfig)
        try members.encodeIfPresent(coordinate, forKey: .coordinate)
        try members.encodeIfPresent(member, forKey: .member)
        try members.encode(stats, forKey: .stats)
        try members.encode(meta, forKey: .meta)
    }
}

/// The health of one instance on an agent.
///
/// - Source: Consul: GET /v1/agent/health/service/id/:id
public struct AgentServiceHealth: Codable, Hashable, Sendable {
    /// The worst state of its checks.
    public var aggregatedStatus: CheckStatus

    /// The instance.
    public var service: AgentService?

    /// Its checks.
    public var checks: [HealthCheck]

    private enum CodingKeys: String, CodingKey {
        case aggregatedStatus = "AggregatedStatus"
        case service = "Service"
        case checks = "Checks"
    }

    /// Makes the value; what is left out is empty.
    public init(
        aggregatedStatus: CheckStatus = .critical,
        service: AgentService? = nil,
        checks: [HealthCheck] = []
    ) {
        self.aggregatedStatus = aggregatedStatus
        self.service = service
        self.checks = checks
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        aggregatedStatus = try members.value(.aggregatedStatus, or: .critical)
        service = try members.optional(.service)
        checks = try members.value(.checks, or: [])
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(aggregatedStatus, forKey: .aggregatedStatus)
        try members.encodeIfPresent(service, forKey: .service)
        try members.encode(checks, forKey: .checks)
    }
}
