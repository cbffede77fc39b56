/// One key of the key/value store (Consul's `DirEntry`).
///
/// - Source: Consul: GET /v1/kv/:key; RPC sheet §7 "DirEntry".
package struct KeyValueEntry: Hashable, Sendable {
    /// Compared byte by byte, never by Unicode equivalence.
    package var key: String = ""
    /// Nil and empty look alike to clients (`null`).
    package var value: [UInt8] = []
    /// For the application alone.
    package var flags: UInt64 = 0
    /// The session that holds the lock, or empty.
    package var session: String = ""
    /// How often the lock was acquired.
    package var lockIndex: UInt64 = 0
    package var indexes = RecordIndexes()

    package init() {}
}
