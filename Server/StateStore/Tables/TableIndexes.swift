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
    var sessions = LogIndex.zero
    var coordinates = LogIndex.zero

    var catalog: LogIndex { max(nodes, services, checks) }

    /// What a query of a service without instances answers with.
    var missingService: LogIndex {
        serviceExtinction == .zero ? catalog : serviceExtinction
    }
}
