import Model

/// The types of the records in a snapshot of the state; each is one byte before its record.
///
/// - Source: Raft sheet §7 and §8; Consul's message types.
package struct RecordType: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let register = RecordType(rawValue: 0)
    package static let keyValue = RecordType(rawValue: 2)
    package static let session = RecordType(rawValue: 3)
    package static let tombstone = RecordType(rawValue: 5)
    package static let coordinates = RecordType(rawValue: 6)
    package static let autopilot = RecordType(rawValue: 9)
    package static let index = RecordType(rawValue: 16)
    package static let chunking = RecordType(rawValue: 29)

    /// Consul's name of the type; nil for one that no version of it has.
    package var name: String? {
        rawValue < RecordType.names.count ? RecordType.names[Int(rawValue)] : nil
    }

    /// Where the type's records stand in a snapshot; nil for a type that snapshots do not have.
    var place: Int? {
        RecordType.order.firstIndex(of: rawValue)
    }

    /// Whether this server keeps the records only to write them back.
    var isForeign: Bool {
        switch self {
        case .register, .keyValue, .session, .tombstone, .coordinates, .autopilot, .index: false
        default: true
        }
    }

    /// The order in which a snapshot has its types: Consul 1.8's, and behind them later ones.
    private static let order: [UInt8] = [
        0, 6, 3, 4, 17, 19, 23, 25, 27, 2, 5, 7, 9, 12, 13, 14, 15, 22, 30, 31, 32, 33, 34, 35, 38,
        40, 16, 29,
    ]

    private static let names = [
        "Register", "Deregister", "KVS", "Session", "ACL (Deprecated)", "Tombstone",
        "CoordinateBatchUpdate", "PreparedQuery", "Txn", "Autopilot", "Area", "ACLBootstrap",
        "Intention", "ConnectCA", "ConnectCAProviderState", "ConnectCAConfig", "Index",
        "ACLToken", "ACLTokenDelete", "ACLPolicy", "ACLPolicyDelete", "ConnectCALeaf",
        "ConfigEntry", "ACLRole", "ACLRoleDelete", "ACLBindingRule", "ACLBindingRuleDelete",
        "ACLAuthMethod", "ACLAuthMethodDelete", "ChunkingState", "FederationState",
        "SystemMetadata", "ServiceVirtualIP", "FreeVirtualIP", "KindServiceNames", "Peering",
        "PeeringDelete", "PeeringTerminateByID", "PeeringTrustBundle",
        "PeeringTrustBundleDelete", "PeeringSecretsWrite", "RaftLogVerifierCheckpoint",
        "ResourceOperation", "UpdateVirtualIP",
    ]
}

/// Records of a restored snapshot that this server does not serve, byte for byte.
///
/// Prepared queries, ACLs, config entries, intentions, certificates: nothing changes them here,
/// and the next snapshot has them in their place again.
struct ForeignRecords: Sendable {
    struct Record: Sendable {
        let type: RecordType
        /// The record without its type.
        let bytes: [UInt8]
    }

    /// When a table that is not kept here last changed.
    struct Index: Sendable {
        let name: String
        let value: LogIndex
    }

    /// Ascending by place; records of one type in the order in which they came.
    private(set) var records: [Record] = []
    /// Ascending by folded name.
    private(set) var indexes: [Index] = []

    init() {}

    init(records: [Record], indexes: [Index]) {
        // Sorting must keep the order within a type.
        self.records = records.enumerated().sorted {
            let left = ($0.element.type.place ?? .max, $0.offset)
            let right = ($1.element.type.place ?? .max, $1.offset)
            return left < right
        }.map(\.element)
        self.indexes = indexes.sorted { Bytes.order($0.name.folded, $1.name.folded) < 0 }
    }

    /// The records whose types stand after one type and before another.
    func records(after first: RecordType?, before last: RecordType?) -> ArraySlice<Record> {
        let low = first?.place ?? -1
        let high = last?.place ?? .max
        let start = records.firstIndex { ($0.type.place ?? .max) > low } ?? records.endIndex
        let end = records.firstIndex { ($0.type.place ?? .max) >= high } ?? records.endIndex
        return records[start..<max(start, end)]
    }
}
