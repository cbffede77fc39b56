import Synchronization

/// Which queries were asked with `cached` before: the first is a miss, the others are hits.
///
/// Nothing is cached behind the header: every answer is the newest one, at age 0.
/// - Source: Consul: api-docs/features/caching (`X-Cache`, `Age`).
final class CachedQueries: Sendable {
    private let limit: Int
    private let seen = Mutex<Set<String>>([])

    init(limit: Int) {
        self.limit = limit
    }

    /// Whether the query was asked before; remembers it.
    func recall(_ identity: String) -> Bool {
        seen.withLock { seen in
            if seen.contains(identity) { return true }
            if seen.count >= limit { seen.removeAll(keepingCapacity: true) }
            seen.insert(identity)
            return false
        }
    }

    /// Adds the fields that tell whether the query was known.
    func announce(_ identity: String, in reply: inout Reply) {
        if recall(identity) {
            reply.headers.append(("X-Cache", "HIT"))
            reply.headers.append(("Age", "0"))
        } else {
            reply.headers.append(("X-Cache", "MISS"))
        }
    }
}
