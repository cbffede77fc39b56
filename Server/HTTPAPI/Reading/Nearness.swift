import Model
import StateStore

/// Sorts records by the estimated round-trip time of their nodes to one node.
///
/// Nodes without a coordinate come last; records of equal distance keep their order. When the node
/// that is asked for has no coordinate, nothing is sorted.
/// - Source: Consul: api-docs/catalog `near`; docs/internals/coordinates.
struct Nearness {
    private let source: Coordinate?
    private let store: StateStore

    /// Nil when the query does not ask for an order.
    init?(to node: String, in store: StateStore) {
        guard !node.isEmpty else { return nil }
        self.store = store
        source = Nearness.coordinate(of: node, in: store)
    }

    func sort<Record>(_ records: inout [Record], by nodeName: (Record) -> String) {
        guard let source else { return }
        var distances: [String: Double] = [:]
        let keyed = records.enumerated().map { offset, record in
            let name = nodeName(record)
            let distance =
                distances[name]
                ?? Nearness.coordinate(of: name, in: store).flatMap { source.distance(to: $0) }
                ?? .infinity
            distances[name] = distance
            return (distance: distance, offset: offset, record: record)
        }
        records = keyed.sorted { ($0.distance, $0.offset) < ($1.distance, $1.offset) }.map(\.record)
    }

    private static func coordinate(of node: String, in store: StateStore) -> Coordinate? {
        let records = store.coordinates(node: node).value
        return records.first { $0.coordinate.segment.isEmpty }?.coordinate.coordinate
    }
}

extension QueryOptions {
    /// The topics a query reads, with the coordinates when they decide about the order.
    func topics(_ topics: [Topic]) -> [Topic] {
        near.isEmpty ? topics : topics + [.coordinates]
    }
}
