import Model

/// A deleted key, or the prefix of a deleted tree: it keeps the index of the deletion for prefix
/// queries.
struct Tombstone: TreeElement {
    let key: String
    let index: LogIndex
    /// True when everything below the key was deleted.
    let isTree: Bool

    static func order(_ key: UnsafeRawBufferPointer, _ element: Tombstone) -> Int {
        Bytes.with(element.key) { Bytes.order(key, $0) }
    }
}

/// A tombstone in the order in which they are reaped.
struct TombstoneByIndex: TreeElement {
    let tombstone: Tombstone

    static func order(_ key: Tombstone, _ element: TombstoneByIndex) -> Int {
        let other = element.tombstone
        guard key.index == other.index else { return key.index < other.index ? -1 : 1 }
        return Bytes.order(key.key, other.key)
    }
}

/// A key that may not be locked before a moment.
struct LockDelay: TreeElement {
    let key: String
    let expiry: Timestamp

    static func order(_ key: String, _ element: LockDelay) -> Int {
        Bytes.order(key, element.key)
    }
}

/// A lock-delay in the order in which they end.
struct LockDelayByExpiry: TreeElement {
    let delay: LockDelay

    static func order(_ key: LockDelay, _ element: LockDelayByExpiry) -> Int {
        let other = element.delay
        guard key.expiry == other.expiry else { return key.expiry < other.expiry ? -1 : 1 }
        return Bytes.order(key.key, other.key)
    }
}

/// A key that a session holds; `session` is folded.
struct HeldKey: TreeElement {
    let session: String
    let key: String

    static func order(_ key: HeldKey, _ element: HeldKey) -> Int {
        let bySession = Bytes.order(key.session, element.session)
        return bySession != 0 ? bySession : Bytes.order(key.key, element.key)
    }
}

/// The keys with all that concerns them.
struct KeyValueTable: Sendable {
    var entries = OrderedTree<KeyValueRecord>()
    var tombstones = OrderedTree<Tombstone>()
    /// The tombstones of trees; few.
    var deletedTrees = OrderedTree<Tombstone>()
    var tombstonesByIndex = OrderedTree<TombstoneByIndex>()
    var heldKeys = OrderedTree<HeldKey>()
    var lockDelays = OrderedTree<LockDelay>()
    var lockDelaysByExpiry = OrderedTree<LockDelayByExpiry>()

    func find(_ key: String) -> KeyValueRecord? {
        Bytes.with(key) { entries.find($0) }
    }

    /// Calls `body` with the entries below a prefix, ascending by key.
    func forEach(prefix: String, _ body: (KeyValueRecord) -> Void) {
        Bytes.with(prefix) { prefixBytes in
            for record in entries.elements(notBefore: prefixBytes) {
                guard record.withKey({ Bytes.hasPrefix($0, prefixBytes) }) else { return }
                body(record)
            }
        }
    }

    /// The greatest index of a deletion below a prefix, as far as tombstones remember.
    ///
    /// - Deviation: Consul overlooks a deleted tree whose prefix is shorter than the one asked for,
    ///   and its
    ///   index can go back.
    func tombstoneIndex(prefix: String) -> LogIndex {
        var greatest = LogIndex.zero
        Bytes.with(prefix) { bytes in
            for tombstone in tombstones.elements(notBefore: bytes) {
                guard Bytes.hasPrefix(tombstone.key, prefix) else { break }
                greatest = max(greatest, tombstone.index)
            }
        }
        guard !deletedTrees.isEmpty else { return greatest }
        Bytes.with(prefix) { bytes in
            for length in 0..<bytes.count {
                let shorter = UnsafeRawBufferPointer(rebasing: bytes[..<length])
                if let tree = deletedTrees.find(shorter) {
                    greatest = max(greatest, tree.index)
                }
            }
        }
        return greatest
    }

    mutating func bury(_ key: String, isTree: Bool, at index: LogIndex) {
        // A tree's tombstone outlives a later one of the key that is its prefix.
        let covers = isTree || tombstones.find(key)?.isTree == true
        let tombstone = Tombstone(key: key, index: index, isTree: covers)
        if covers {
            deletedTrees.insert(tombstone, at: key)
        }
        if let old = tombstones.insert(tombstone, at: key) {
            tombstonesByIndex.remove(old)
        }
        tombstonesByIndex.insert(TombstoneByIndex(tombstone: tombstone), at: tombstone)
    }

    /// Forgets the tombstones up to and including `index`; the greatest index forgotten, or nil.
    mutating func reap(upTo index: LogIndex) -> LogIndex? {
        var greatest: LogIndex?
        while let next = tombstonesByIndex.first?.tombstone, next.index <= index {
            tombstonesByIndex.remove(next)
            tombstones.remove(next.key)
            deletedTrees.remove(next.key)
            greatest = next.index
        }
        return greatest
    }

    /// Closes a key for locking until `expiry`, and forgets the delays that ended before `now`.
    mutating func delayLock(of key: String, until expiry: Timestamp, now: Timestamp) {
        while let ended = lockDelaysByExpiry.first?.delay, ended.expiry <= now {
            lockDelaysByExpiry.remove(ended)
            lockDelays.remove(ended.key)
        }
        let delay = LockDelay(key: key, expiry: expiry)
        if let old = lockDelays.insert(delay, at: key) {
            lockDelaysByExpiry.remove(old)
        }
        lockDelaysByExpiry.insert(LockDelayByExpiry(delay: delay), at: delay)
    }

    /// True while a lock-delay keeps the key closed.
    func isDelayed(_ key: String, now: Timestamp) -> Bool {
        lockDelays.find(key).map { now < $0.expiry } ?? false
    }
}
