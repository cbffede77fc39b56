/// A machine or agent of the catalog.
///
/// - Source: Consul: GET /v1/catalog/nodes; `shared` RPC sheet §7 "Node".
package struct Node: Hashable, Sendable {
    /// A UUID in lower case, or empty for nodes that were registered without one.
    package var id: String = ""
    package var name: String = ""
    package var address: String = ""
    package var datacenter: String = ""
    /// Nil and empty are different in replies (`null` against `{}`).
    package var taggedAddresses: [String: String]?
    package var meta: [String: String]?
    package var indexes = RecordIndexes()

    package init() {}
}
