/// An event that spreads to all agents by gossip.
///
/// - Source: Consul: GET /v1/event/list
public struct UserEvent: Codable, Hashable, Sendable {
    /// Its id.
    public var id: String

    /// Its name.
    public var name: String

    /// What it carries.
    public var payload: [UInt8]

    /// The regular expression that nodes must match.
    public var nodeFilter: String

    /// The regular expression that services must match.
    public var serviceFilter: String

    /// The regular expression that a tag must match.
    public var tagFilter: String

    /// The format's version.
    public var version: Int

    /// Its logical time.
    public var lamportTime: UInt64

    private enum CodingKeys: String, CodingKey {
        case id = "ID"
        case name = "Name"
        case payload = "Payload"
        case nodeFilter = "NodeFilter"
        case serviceFilter = "ServiceFilter"
        case tagFilter = "TagFilter"
        case version = "Version"
        case lamportTime = "LTime"
    }

    /// Makes the value; what is left out is empty.
    public init(
        id: String = "",
        name: String = "",
        payload: [UInt8] = [],
        nodeFilter: String = "",
        serviceFilter: String = "",
        tagFilter: String = "",
        version: Int = 0,
        lamportTime: UInt64 = 0
    ) {
        self.id = id
        self.name = name
        self.payload = payload
        self.nodeFilter = nodeFilter
        self.serviceFilter = serviceFilter
        self.tagFilter = tagFilter
        self.version = version
        self.lamportTime = lamportTime
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        id = try members.value(.id, or: "")
        name = try members.value(.name, or: "")
        payload = try members.bytes(.payload)
        nodeFilter = try members.value(.nodeFilter, or: "")
        serviceFilter = try members.value(.serviceFilter, or: "")
        tagFilter = try members.value(.tagFilter, or: "")
        version = try members.value(.version, or: 0)
        lamportTime = try members.value(.lamportTime, or: 0)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(id, forKey: .id)
        try members.encode(name, forKey: .name)
        try members.encode(Base64Bytes(payload), forKey: .payload)
        try members.encode(nodeFilter, forKey: .nodeFilter)
        try members.encode(serviceFilter, forKey: .serviceFilter)
        try members.encode(tagFilter, forKey: .tagFilter)
        try members.encode(version, forKey: .version)
        try members.encode(lamportTime, forKey: .lamportTime)
    }
}
