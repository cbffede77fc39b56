/// What one or more commits touched.
///
/// Changed keys are listed apart, because a watch of a prefix meets every key below it: ask `wakes`.
package struct ChangeSet: Sendable {
    /// Everything touched except keys.
    package private(set) var topics: Set<Topic> = []
    /// Keys that were written or deleted one by one.
    package private(set) var keys: Set<String> = []
    /// Prefixes of which every key was deleted.
    package private(set) var deletedPrefixes: Set<String> = []
    /// True when a deleted key left a tombstone, which the leader must have reaped in time.
    package internal(set) var leftTombstones = false

    package init() {}

    package var isEmpty: Bool {
        topics.isEmpty && keys.isEmpty && deletedPrefixes.isEmpty
    }

    /// Adds what `other` touched.
    package mutating func formUnion(_ other: ChangeSet) {
        topics.formUnion(other.topics)
        keys.formUnion(other.keys)
        deletedPrefixes.formUnion(other.deletedPrefixes)
        leftTombstones = leftTombstones || other.leftTombstones
    }

    package mutating func removeAll() {
        topics.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        deletedPrefixes.removeAll(keepingCapacity: true)
        leftTombstones = false
    }

    /// Whether a query that depends on `topic` must be evaluated again.
    ///
    /// O(1) except for prefixes (each changed key) and keys (each deleted prefix).
    package func wakes(_ topic: Topic) -> Bool {
        switch topic {
        case .key(let key):
            keys.contains(key) || deletedPrefixes.contains { Bytes.hasPrefix(key, $0) }
        case .keyPrefix(let prefix):
            keys.contains { Bytes.hasPrefix($0, prefix) }
                || deletedPrefixes.contains {
                    Bytes.hasPrefix($0, prefix) || Bytes.hasPrefix(prefix, $0)
                }
        default:
            topics.contains(topic)
        }
    }

    mutating func touch(_ topic: Topic) {
        topics.insert(topic)
    }

    mutating func touchKey(_ key: String) {
        keys.insert(key)
    }

    mutating func touchPrefix(_ prefix: String) {
        deletedPrefixes.insert(prefix)
    }
}
