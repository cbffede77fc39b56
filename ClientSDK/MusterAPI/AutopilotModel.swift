/// How the cluster looks after its servers.
///
/// - Source: Consul: GET /v1/operator/autopilot/configuration
public struct AutopilotConfiguration: Codable, Hashable, Sendable {
    /// Whether dead servers are removed when new ones join.
    public var cleanupDeadServers: Bool

    /// After what silence a server is unhealthy.
    public var lastContactThreshold: Duration?

    /// How many entries behind a server is unhealthy.
    public var maxTrailingLogs: UInt64

    /// How many voters are kept at least.
    public var minQuorum: Int

    /// How long a server must be healthy before it votes.
    public var serverStabilizationTime: Duration?

    /// The metadata that names zones.
    public var redundancyZoneTag: String

    /// Whether upgrades stay manual.
    public var disableUpgradeMigration: Bool

    /// The metadata that names versions.
    public var upgradeVersionTag: String

    /// The index of the write that made it.
    public var createIndex: UInt64

    /// The index of the last write that changed it.
    public var modifyIndex: UInt64

    private enum CodingKeys: String, CodingKey {
        case cleanupDeadServers = "CleanupDeadServers"
        case lastContactThreshold = "LastContactThreshold"
        case maxTrailingLogs = "MaxTrailingLogs"
        case minQuorum = "MinQuorum"
        case serverStabilizationTime = "ServerStabilizationTime"
        case redundancyZoneTag = "RedundancyZoneTag"
        case disableUpgradeMigration = "DisableUpgradeMigration"
        case upgradeVersionTag = "UpgradeVersionTag"
        case createIndex = "CreateIndex"
        case modifyIndex = "ModifyIndex"
    }

    /// Makes the value; what is left out is empty.
    public init(
        cleanupDeadServers: Bool = false,
        lastContactThreshold: Duration? = nil,
        maxTrailingLogs: UInt64 = 0,
        minQuorum: Int = 0,
        serverStabilizationTime: Duration? = nil,
        redundancyZoneTag: String = "",
        disableUpgradeMigration: Bool = false,
        upgradeVersionTag: String = "",
        createIndex: UInt64 = 0,
        modifyIndex: UInt64 = 0
    ) {
        self.cleanupDeadServers = cleanupDeadServers
        self.lastContactThreshold = lastContactThreshold
        self.maxTrailingLogs = maxTrailingLogs
        self.minQuorum = minQuorum
        self.serverStabilizationTime = serverStabilizationTime
        self.redundancyZoneTag = redundancyZoneTag
        self.disableUpgradeMigration = disableUpgradeMigration
        self.upgradeVersionTag = upgradeVersionTag
        self.createIndex = createIndex
        self.modifyIndex = modifyIndex
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        cleanupDeadServers = try members.value(.cleanupDeadServers, or: false)
        lastContactThreshold = try members.duration(.lastContactThreshold)
        maxTrailingLogs = try members.value(.maxTrailingLogs, or: 0)
        minQuorum = try members.value(.minQuorum, or: 0)
        serverStabilizationTime = try members.duration(.serverStabilizationTime)
        redundancyZoneTag = try members.value(.redundancyZoneTag, or: "")
        disableUpgradeMigration = try members.value(.disableUpgradeMigration, or: false)
        upgradeVersionTag = try members.value(.upgradeVersionTag, or: "")
        createIndex = try members.value(.createIndex, or: 0)
        modifyIndex = try members.value(.modifyIndex, or: 0)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(cleanupDeadServers, forKey: .cleanupDeadServers)
        try members.encode(lastContactThreshold, .lastContactThreshold)
        try members.encode(maxTrailingLogs, forKey: .maxTrailingLogs)
        try members.encode(minQuorum, forKey: .minQuorum)
        try members.encode(serverStabilizationTime, .serverStabilizationTime)
        try members.encode(redundancyZoneTag, forKey: .redundancyZoneTag)
        try members.encode(disableUpgradeMigration, forKey: .disableUpgradeMigration)
        try members.encode(upgradeVersionTag, forKey: .upgradeVersionTag)
        try members.encode(createIndex, forKey: .createIndex)
        try members.encode(modifyIndex, forKey: .modifyIndex)
    }
}

/// The health of one server.
public struct AutopilotServerHealth: Codable, Hashable, Sendable {
    /// Its id.
    public var id: String

    /// Its node's name.
    public var name: String

    /// Its address and port.
    public var address: String

    /// What gossip says of it.
    public var serfStatus: String

    /// Its version.
    public var version: String

    /// Whether it leads.
    public var leader: Bool

    /// How long ago it heard from the leader.
    public var lastContact: Duration?

    /// The term of its last entry.
    public var lastTerm: UInt64

    /// The index of its last entry.
    public var lastIndex: UInt64

    /// Whether it is healthy.
    public var healthy: Bool

    /// Whether it votes.
    public var voter: Bool

    /// Since when its health is what it is.
    public var stableSince: String

    private enum CodingKeys: String, CodingKey {
        case id = "ID"
        case name = "Name"
        case address = "Address"
        case serfStatus = "SerfStatus"
        case version = "Version"
        case leader = "Leader"
        case lastContact = "LastContact"
        case lastTerm = "LastTerm"
        case lastIndex = "LastIndex"
        case healthy = "Healthy"
        case voter = "Voter"
        case stableSince = "StableSince"
    }

    /// Makes the value; what is left out is empty.
    public init(
        id: String = "",
        name: String = "",
        address: String = "",
        serfStatus: String = "",
        version: String = "",
        leader: Bool = false,
        lastContact: Duration? = nil,
        lastTerm: UInt64 = 0,
        lastIndex: UInt64 = 0,
        healthy: Bool = false,
        voter: Bool = false,
        stableSince: String = ""
    ) {
        self.id = id
        self.name = name
        self.address = address
        self.serfStatus = serfStatus
        self.version = version
        self.leader = leader
        self.lastContact = lastContact
        self.lastTerm = lastTerm
        self.lastIndex = lastIndex
        self.healthy = healthy
        self.voter = voter
        self.stableSince = stableSince
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        id = try members.value(.id, or: "")
        name = try members.value(.name, or: "")
        address = try members.value(.address, or: "")
        serfStatus = try members.value(.serfStatus, or: "")
        version = try members.value(.version, or: "")
        leader = try members.value(.leader, or: false)
        lastContact = try members.duration(.lastContact)
        lastTerm = try members.value(.lastTerm, or: 0)
        lastIndex = try members.value(.lastIndex, or: 0)
        healthy = try members.value(.healthy, or: false)
        voter = try members.value(.voter, or: false)
        stableSince = try members.value(.stableSince, or: "")
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(id, forKey: .id)
        try members.encode(name, forKey: .name)
        try members.encode(address, forKey: .address)
        try members.encode(serfStatus, forKey: .serfStatus)
        try members.encode(version, forKey: .version)
        try members.encode(leader, forKey: .leader)
        try members.encode(lastContact, .lastContact)
        try members.encode(lastTerm, forKey: .lastTerm)
        try members.encode(lastIndex, forKey: .lastIndex)
        try members.encode(healthy, forKey: .healthy)
        try members.encode(voter, forKey: .voter)
        try members.encode(stableSince, forKey: .stableSince)
    }
}

/// The health of the servers.
///
/// - Source: Consul: GET /v1/operator/autopilot/health
public struct AutopilotHealth: Codable, Hashable, Sendable {
    /// Whether all are healthy.
    public var healthy: Bool

    /// How many may fail before the cluster stops.
    public var failureTolerance: Int

    /// Each server.
    public var servers: [AutopilotServerHealth]

    private enum CodingKeys: String, CodingKey {
        case healthy = "Healthy"
        case failureTolerance = "FailureTolerance"
        case servers = "Servers"
    }

    /// Makes the value; what is left out is empty.
    public init(
        healthy: Bool = false,
        failureTolerance: Int = 0,
        servers: [AutopilotServerHealth] = []
    ) {
        self.healthy = healthy
        self.failureTolerance = failureTolerance
        self.servers = servers
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        healthy = try members.value(.healthy, or: false)
        failureTolerance = try members.value(.failureTolerance, or: 0)
        servers = try members.value(.servers, or: [])
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(healthy, forKey: .healthy)
        try members.encode(failureTolerance, forKey: .failureTolerance)
        try members.encode(servers, forKey: .servers)
    }
}
