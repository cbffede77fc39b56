/// How a check, or a service as a whole, is doing.
public struct CheckStatus: RawRepresentable, Codable, Hashable, Sendable,
    CustomStringConvertible
{
    /// The word the registry uses.
    public var rawValue: String

    /// Makes a status from the registry's word.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// All is well.
    public static let passing = CheckStatus(rawValue: "passing")
    /// It works, but someone should look.
    public static let warning = CheckStatus(rawValue: "warning")
    /// It does not work.
    public static let critical = CheckStatus(rawValue: "critical")
    /// An operator took it out of service.
    public static let maintenance = CheckStatus(rawValue: "maintenance")

    /// The registry's word.
    public var description: String { rawValue }
}

/// A health check and its state.
///
/// The check `_node_maintenance`, or one whose id begins with `_service_maintenance:`, says that
/// an operator took the node or the instance out of service.
public struct HealthCheck: Codable, Hashable, Sendable {
    /// The node it belongs to.
    public var node: String

    /// Its id, unique on its node.
    public var checkID: String

    /// Its name for people.
    public var name: String

    /// Its state.
    public var status: CheckStatus

    /// What it is for.
    public var notes: String

    /// What the check said last.
    public var output: String

    /// The service instance it belongs to; empty for the whole node.
    public var serviceID: String

    /// That service's name.
    public var serviceName: String

    /// That service's tags.
    public var serviceTags: [String]

    /// What kind of check it is: `ttl`, `http`, `tcp` and so on.
    public var type: String

    /// How it is run, where the registry says so.
    public var definition: JSONValue?

    /// The index of the write that made it.
    public var createIndex: UInt64

    /// The index of the last write that changed it.
    public var modifyIndex: UInt64

    private enum CodingKeys: String, CodingKey {
        case node = "Node"
        case checkID = "CheckID"
        case name = "Name"
        case status = "Status"
        case notes = "Notes"
        case output = "Output"
        case serviceID = "ServiceID"
        case serviceName = "ServiceName"
        case serviceTags = "ServiceTags"
        case type = "Type"
        case definition = "Definition"
        case createIndex = "CreateIndex"
        case modifyIndex = "ModifyIndex"
    }

    /// Makes the value; what is left out is empty.
    public init(
        node: String = "",
        checkID: String = "",
        name: String = "",
        status: CheckStatus = .critical,
        notes: String = "",
        output: String = "",
        serviceID: String = "",
        serviceName: String = "",
        serviceTags: [String] = [],
        type: String = "",
        definition: JSONValue? = nil,
        createIndex: UInt64 = 0,
        modifyIndex: UInt64 = 0
    ) {
        self.node = node
        self.checkID = checkID
        self.name = name
        self.status = status
        self.notes = notes
        self.output = output
        self.serviceID = serviceID
        self.serviceName = serviceName
        self.serviceTags = serviceTags
        self.type = type
        self.definition = definition
        self.createIndex = createIndex
        self.modifyIndex = modifyIndex
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        node = try members.value(.node, or: "")
        checkID = try members.value(.checkID, or: "")
        name = try members.value(.name, or: "")
        status = try members.value(.status, or: .critical)
        notes = try members.value(.notes, or: "")
        output = try members.value(.output, or: "")
        serviceID = try members.value(.serviceID, or: "")
        serviceName = try members.value(.serviceName, or: "")
        serviceTags = try members.value(.serviceTags, or: [])
        type = try members.value(.type, or: "")
        definition = try members.optional(.definition)
        createIndex = try members.value(.createIndex, or: 0)
        modifyIndex = try members.value(.modifyIndex, or: 0)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(node, forKey: .node)
        try members.encode(checkID, forKey: .checkID)
        try members.encode(name, forKey: .name)
        try members.encode(status, forKey: .status)
        try members.encode(notes, forKey: .notes)
        try members.encode(output, forKey: .output)
        try members.encode(serviceID, forKey: .serviceID)
        try members.encode(serviceName, forKey: .serviceName)
        try members.encode(serviceTags, forKey: .serviceTags)
        try members.encode(type, forKey: .type)
        try members.encodeIfPresent(definition, forKey: .definition)
        try members.encode(createIndex, forKey: .createIndex)
        try members.encode(modifyIndex, forKey: .modifyIndex)
    }
}
