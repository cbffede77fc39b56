/// A server in the Raft configuration.
public struct RaftServer: Codable, Hashable, Sendable {
    /// Its id.
    public var id: String

    /// Its node's name.
    public var node: String

    /// Its address and port.
    public var address: String

    /// Whether it leads.
    public var leader: Bool

    /// Its protocol.
    public var protocolVersion: String

    /// Whether it votes.
    public var voter: Bool

    private enum CodingKeys: String, CodingKey {
        case id = "ID"
        case node = "Node"
        case address = "Address"
        case leader = "Leader"
        case protocolVersion = "ProtocolVersion"
        case voter = "Voter"
    }

    /// Makes the value; what is left out is empty.
    public init(
        id: String = "",
        node: String = "",
        address: String = "",
        leader: Bool = false,
        protocolVersion: String = "",
        voter: Bool = false
    ) {
        self.id = id
        self.node = node
        self.address = address
        self.leader = leader
        self.protocolVersion = protocolVersion
        self.voter = voter
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        id = try members.value(.id, or: "")
        node = try members.value(.node, or: "")
        address = try members.value(.address, or: "")
        leader = try members.value(.leader, or: false)
        protocolVersion = try members.value(.protocolVersion, or: "")
        voter = try members.value(.voter, or: false)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(id, forKey: .id)
        try members.encode(node, forKey: .node)
        try members.encode(address, forKey: .address)
        try members.encode(leader, forKey: .leader)
        try members.encode(protocolVersion, forKey: .protocolVersion)
        try members.encode(voter, forKey: .voter)
    }
}

/// The Raft configuration.
///
/// - Source: Consul: GET /v1/operator/raft/configuration
public struct RaftConfiguration: Codable, Hashable, Sendable {
    /// The servers.
    public var servers: [RaftServer]

    /// The log index it was read at.
    public var index: UInt64

    private enum CodingKeys: String, CodingKey {
        case servers = "Servers"
        case index = "Index"
    }

    /// Makes the value; what is left out is empty.
    public init(
        servers: [RaftServer] = [],
        index: UInt64 = 0
    ) {
        self.servers = servers
        self.index = index
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        servers = try members.value(.servers, or: [])
        index = try members.value(.index, or: 0)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(servers, forKey: .servers)
        try members.encode(index, forKey: .index)
    }
}
