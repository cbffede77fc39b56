import Model
package import Wire

/// What belongs to the state and has no record in Consul's stream.
///
/// Carried beside the stream, it makes a restored store answer just as the original would.
/// Lists follow the order of the records they belong to. Without it, as in a snapshot of Consul's
/// own, the values are derived from what the stream has.
package struct CarriedState: WireRecord, Hashable {
    /// Raised when a reader of an older version would misunderstand.
    var version: UInt64 = CarriedState.currentVersion
    /// When the list of service names and tags last changed.
    var serviceNames: UInt64 = 0
    /// The greatest index whose tombstone was forgotten.
    var reapedTombstones: UInt64 = 0
    /// Three for each node: when its services, its checks and its sessions last changed.
    var nodes: [UInt64] = []
    /// For each service: when one of its checks last changed.
    var serviceChecks: [UInt64] = []
    /// For each service of the mesh: when what it shows last changed.
    var mesh: [UInt64] = []
    /// The tombstones that stand for whole trees.
    var deletedTrees: [String] = []
    /// The keys that may not be locked yet, and until when.
    var lockDelays: [String] = []
    var lockDelayExpiries: [UInt64] = []

    static let currentVersion: UInt64 = 1

    package init() {}

    package static var goType: String { "muster.CarriedState" }
    package static var unknownKeys: UnknownKeys { .ignored }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Version", &version)
        try visitor.field("ServiceNames", &serviceNames)
        try visitor.field("ReapedTombstones", &reapedTombstones)
        try visitor.field("Nodes", &nodes)
        try visitor.field("ServiceChecks", &serviceChecks)
        try visitor.field("Mesh", &mesh)
        try visitor.field("DeletedTrees", &deletedTrees)
        try visitor.field("LockDelays", &lockDelays)
        try visitor.field("LockDelayExpiries", &lockDelayExpiries)
    }
}

extension StateStore {
    /// What `writeRecords` cannot say, as MessagePack; a few bytes for each node and service.
    package var carriedState: [UInt8] {
        var carried = CarriedState()
        carried.serviceNames = indexes.serviceNames.rawValue
        carried.reapedTombstones = indexes.reapedTombstones.rawValue
        for entry in nodeTable.all {
            carried.nodes.append(entry.servicesIndex.rawValue)
            carried.nodes.append(entry.checksIndex.rawValue)
            carried.nodes.append(entry.sessionsIndex.rawValue)
        }
        carried.serviceChecks = serviceGroups.map { $0.cell.value.checksIndex.rawValue }
        carried.mesh = meshGroups.map { $0.cell.value.index.rawValue }
        carried.deletedTrees = keyTable.deletedTrees.map(\.key)
        for delay in keyTable.lockDelays {
            carried.lockDelays.append(delay.key)
            carried.lockDelayExpiries.append(delay.expiry.nanosecondsSinceEpoch)
        }
        return MessagePack.encode(carried)
    }
}
