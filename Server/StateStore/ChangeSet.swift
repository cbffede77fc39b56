/// What one or more commits touched.
///
/// Changed keys are listed apart, because a watch of a prefix meets every key below it: ask
/// `wakes`.
package struct ChangeSet: Sendable {
    /// A topic of one name.
    private struct Named: Equatable {
        let kind: Topic.Kind
        let hash: UInt64
    }

    /// A bit for each kind that was touched as a whole.
    private var kinds: UInt32 = 0
    /// In order; a topic may come more than once, but not again within a few of itself.
    private var named: [Named] = []

    /// Keys that were written or deleted one by one, in order; a key may come more than once.
    package private(set) var keys: [String] = []
    /// Prefixes of which every key was deleted, in order.
    package private(set) var deletedPrefixes: [String] = []
    /// True when a deleted key left a tombstone, which the leader must have reaped in time.
    package internal(set) var leftTombstones = false

    package init() {}

    package var isEmpty: Bool {
        kinds == 0 && named.isEmpty && keys.isEmpty && deletedPrefixes.isEmpty
    }

    /// Everything touched except keys; a topic may come more than once.
    package var topics: [Topic] {
        Topic.Kind.allCases.filter { kinds & $0.bit != 0 }.map { .all($0) }
            + named.map { .one($0.kind, $0.hash) }
    }

    /// Adds what `other` touched.
    package mutating func formUnion(_ other: ChangeSet) {
        kinds |= other.kinds
        named += other.named
        keys += other.keys
        deletedPrefixes += other.deletedPrefixes
        leftTombstones = leftTombstones || other.leftTombstones
    }

    /// Forgets everything but the memory.
    package mutating func removeAll() {
        kinds = 0
        named.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        deletedPrefixes.removeAll(keepingCapacity: true)
        leftTombstones = false
    }

    /// Whether a query that depends on `topic` must be evaluated again.
    ///
    /// O(what was touched): to find the watchers of a commit, look `topics` up among theirs
    /// instead.
    package func wakes(_ topic: Topic) -> Bool {
        switch topic {
        case .key(let key):
            keys.contains { Bytes.equal($0, key) }
                || deletedPrefixes.contains { Bytes.hasPrefix(key, $0) }
        case .keyPrefix(let prefix):
            keys.contains { Bytes.hasPrefix($0, prefix) }
                || deletedPrefixes.contains {
                    Bytes.hasPrefix($0, prefix) || Bytes.hasPrefix(prefix, $0)
                }
        case .all(let kind):
            kinds & kind.bit != 0
        case .one(let kind, let hash):
            named.contains(Named(kind: kind, hash: hash))
        }
    }

    mutating func touch(_ topic: Topic) {
        switch topic {
        case .key(let key): touchKey(key)
        case .keyPrefix(let prefix): touchPrefix(prefix)
        case .all(let kind): touch(kind)
        case .one(let kind, let hash): touch(kind, hash)
        }
    }

    mutating func touch(_ kind: Topic.Kind) {
        kinds |= kind.bit
    }

    mutating func touch(_ kind: Topic.Kind, _ hash: UInt64) {
        let topic = Named(kind: kind, hash: hash)
        guard !named.suffix(8).contains(topic) else { return }
        named.append(topic)
    }

    mutating func touchKey(_ key: String) {
        keys.append(key)
    }

    mutating func touchPrefix(_ prefix: String) {
        deletedPrefixes.append(prefix)
    }
}

extension Topic.Kind {
    fileprivate var bit: UInt32 { 1 << UInt32(rawValue) }
}
