import Model
import Raft
import Wire

/// `meta.json`, with the fields and the order of Consul's, and ours in an object behind them.
///
/// - Source: Consul: agent/consul snapshot archives, hashicorp/raft `SnapshotMeta`; RPC sheet §8.
struct MetadataFile: WireRecord {
    var version: UInt64 = 1
    var id = ""
    var index: UInt64 = 0
    var term: UInt64 = 0
    var peers: [UInt8] = []
    var configuration = MemberList()
    var configurationIndex: UInt64 = 0
    var size = 0
    var own: OwnPart?

    static var goType: String { "raft.SnapshotMeta" }
    static var unknownKeys: UnknownKeys { .ignored }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Version", &version)
        try visitor.field("ID", &id)
        try visitor.field("Index", &index)
        try visitor.field("Term", &term)
        try visitor.bytes("Peers", &peers)
        try visitor.field("Configuration", &configuration)
        try visitor.field("ConfigurationIndex", &configurationIndex)
        try visitor.field("Size", &size)
        try visitor.field("Muster", &own, .omitEmpty)
    }

    struct MemberList: WireRecord {
        var servers: [Member] = []

        static var goType: String { "raft.Configuration" }

        mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
            try visitor.field("Servers", &servers)
        }
    }

    struct Member: WireRecord {
        /// 0 votes, 1 does not.
        var suffrage = 0
        var id = ""
        var address = ""

        static var goType: String { "raft.Server" }

        mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
            try visitor.field("Suffrage", &suffrage)
            try visitor.field("ID", &id)
            try visitor.field("Address", &address)
        }
    }

    /// What Consul has no field for; its decoder passes it over.
    struct OwnPart: WireRecord {
        var version = SnapshotMetadata.version
        var cluster = ""
        var logIndex: UInt64 = 0
        var indexOffset: UInt64 = 0
        var lastStamp: UInt64 = 0
        /// The voters that a joint configuration leaves.
        var outgoing: [Member] = []
        var requests: [UInt8] = []
        /// `StateStore.carriedState`.
        var state: [UInt8] = []

        static var goType: String { "muster.SnapshotMeta" }
        static var unknownKeys: UnknownKeys { .ignored }

        mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
            try visitor.field("Version", &version)
            try visitor.field("Cluster", &cluster)
            try visitor.field("LogIndex", &logIndex)
            try visitor.field("IndexOffset", &indexOffset)
            try visitor.field("LastStamp", &lastStamp)
            try visitor.field("Outgoing", &outgoing)
            try visitor.bytes("Requests", &requests)
            try visitor.bytes("State", &state)
        }
    }
}

// MARK: To and from what the rest of the server sees

extension MetadataFile {
    init(_ metadata: SnapshotMetadata, stateBytes: Int, carried: [UInt8]) {
        let placed = metadata.configuration
        let voters = placed.configuration.members.filter { $0.role == .voter }
        id = metadata.id
        index = metadata.stateIndex.rawValue
        term = metadata.position.term.rawValue
        peers = MessagePack.encode(voters.map(\.address))
        configuration.servers = placed.configuration.members.map { Member($0) }
        configurationIndex = placed.index.rawValue
        size = stateBytes
        guard metadata.isOurs else { return }
        var part = OwnPart()
        part.cluster = UUIDForm.text(metadata.cluster)
        part.logIndex = metadata.position.index.rawValue
        part.indexOffset = metadata.indexOffset
        part.lastStamp = metadata.lastStamp.nanosecondsSinceEpoch
        part.outgoing = placed.configuration.outgoing.map { Member($0) }
        part.requests = metadata.requests
        part.state = carried
        own = part
    }

    /// The file's bytes, with a line feed behind them as in Consul.
    var bytes: [UInt8] {
        JSON.encode(self) + [UInt8(ascii: "\n")]
    }

    init(parsing bytes: [UInt8]) throws(SnapshotError) {
        do throws(WireError) {
            self = try JSON.decode(MetadataFile.self, from: bytes)
        } catch {
            throw .damaged(ArchiveDamage(.metadata, error.message))
        }
        guard (0...1).contains(version) else {
            throw .damaged(ArchiveDamage(.metadata, "unknown version \(version)"))
        }
        guard size >= 0 else {
            throw .damaged(ArchiveDamage(.metadata, "a negative size"))
        }
        if let own, own.version > SnapshotMetadata.version {
            throw .otherVersion(found: own.version)
        }
    }

    func metadata() throws(SnapshotError) -> SnapshotMetadata {
        var members: [ClusterMember] = []
        for server in configuration.servers {
            members.append(try server.member(isOurs: own != nil))
        }
        var outgoing: [ClusterMember] = []
        for server in own?.outgoing ?? [] { outgoing.append(try server.member(isOurs: true)) }
        var metadata = SnapshotMetadata(
            stateIndex: LogIndex(rawValue: index),
            position: LogPosition(
                index: LogIndex(rawValue: own?.logIndex ?? index),
                term: Term(rawValue: term)
            ),
            configuration: PlacedConfiguration(
                index: LogIndex(rawValue: configurationIndex),
                configuration: ClusterConfiguration(members: members, outgoing: outgoing)
            ),
            created: created
        )
        metadata.stateBytes = size
        metadata.isOurs = own != nil
        guard let own else { return metadata }
        guard let cluster = UUIDForm.number(own.cluster) else {
            throw .damaged(ArchiveDamage(.metadata, "the cluster's id is not a UUID"))
        }
        metadata.cluster = cluster
        metadata.indexOffset = own.indexOffset
        metadata.lastStamp = Timestamp(nanosecondsSinceEpoch: own.lastStamp)
        metadata.requests = own.requests
        return metadata
    }

    /// The last part of the id, in milliseconds.
    private var created: Timestamp {
        let milliseconds = id.split(separator: "-").last.flatMap { UInt64($0) } ?? 0
        let (nanoseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        return Timestamp(nanosecondsSinceEpoch: overflow ? .max : nanoseconds)
    }
}

extension MetadataFile.Member {
    init(_ member: ClusterMember) {
        suffrage = member.role == .voter ? 0 : 1
        id = UUIDForm.text(member.id.rawValue)
        address = member.address
    }

    /// A member; one of Consul's older protocols, without a UUID, becomes 0.
    func member(isOurs: Bool) throws(SnapshotError) -> ClusterMember {
        let number = UUIDForm.number(id)
        guard let number = number ?? (isOurs ? nil : 0) else {
            throw .damaged(ArchiveDamage(.metadata, "a server's id is not a UUID"))
        }
        return ClusterMember(
            id: NodeID(rawValue: number),
            role: suffrage == 0 ? .voter : .learner,
            address: address
        )
    }
}

/// The written form of 128 bits.
enum UUIDForm {
    static func text(_ number: UInt128) -> String {
        let digits = Array(String(number, radix: 16))
        let padded = Array(repeating: Character("0"), count: 32 - digits.count) + digits
        let parts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(padded[$0]) }
        return parts.joined(separator: "-")
    }

    static func number(_ text: String) -> UInt128? {
        guard UUIDText.flaw(of: text) == nil else { return nil }
        return UInt128(text.filter { $0 != "-" }, radix: 16)
    }
}
