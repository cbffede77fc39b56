import Model

/// When each table last changed, for queries that read all of it or find nothing in it.
///
/// - Source: Consul: Raft sheet §8, records of type 16.
struct TableIndexes: Sendable {
    var nodes = LogIndex.zero
    var services = LogIndex.zero
    var checks = LogIndex.zero
    /// When the list of service names and tags last changed.
    var serviceNames = LogIndex.zero
    /// When the last instance of some service, or of some service's mesh instances, was removed.
    var serviceExtinction = LogIndex.zero
    var keyValues = LogIndex.zero
    /// The greatest index whose tombstone was forgotten: no prefix may answer with less.
    var reapedTombstones = LogIndex.zero
    /// When a deleted key last left a tombstone, or tombstones were forgotten.
    var tombstones = LogIndex.zero
    var sessions = LogIndex.zero
    var coordinates = LogIndex.zero
    var kinds = KindIndexes()

    var catalog: LogIndex { max(nodes, services, checks) }

    /// What a query of a service without instances answers with.
    var missingService: LogIndex {
        serviceExtinction == .zero ? catalog : serviceExtinction
    }
}

/// When an instance of each kind was last written or removed; carried for Consul's sake.
///
/// - Source: Consul: Raft sheet §8, `service_kind.KIND`.
struct KindIndexes: Sendable {
    var typical = LogIndex.zero
    var connectProxy = LogIndex.zero
    var meshGateway = LogIndex.zero
    var terminatingGateway = LogIndex.zero
    var ingressGateway = LogIndex.zero

    static let named:
        [(name: String, path: any WritableKeyPath<KindIndexes, LogIndex> & Sendable)] = [
            ("service_kind.connect-proxy", \.connectProxy),
            ("service_kind.ingress-gateway", \.ingressGateway),
            ("service_kind.mesh-gateway", \.meshGateway),
            ("service_kind.terminating-gateway", \.terminatingGateway),
            ("service_kind.typical", \.typical),
        ]

    /// Kinds that Consul does not know have no index.
    mutating func note(_ record: ServiceRecord, at index: LogIndex) {
        guard let mesh = record.storage.header.mesh else {
            typical = index
            return
        }
        switch mesh.kind {
        case .typical: typical = index
        case .connectProxy: connectProxy = index
        case .meshGateway: meshGateway = index
        case .terminatingGateway: terminatingGateway = index
        case .ingressGateway: ingressGateway = index
        default: break
        }
    }
}
