package import StateStore

/// Names a watch within its registry; never reused.
package struct WatchID: Hashable, Sendable {
    fileprivate let rawValue: UInt64
}

/// The watches of one event loop: who waits for which topics.
///
/// Every call is made on the loop the registry was made for. A watch fires at most once, on the
/// loop, after a commit that touched one of its topics was published; it is gone before its closure
/// runs, so the closure may park again. Wake-ups can be spurious, never missing, provided that the
/// topics were read from `Replica.current` in the same turn of the loop as `park`.
package final class WatchRegistry {
    /// When a watch's closure runs.
    package enum Urgency {
        /// As soon as the change was published.
        case immediate
        /// When someone next calls `synchronize`; for invalidating caches.
        case deferred
    }

    private struct Watch {
        let topics: [Topic]
        let urgency: Urgency
        let wake: () -> Void
    }

    private let replica: Replica
    private let inbox: WatchInbox
    private var watches: [UInt64: Watch] = [:]
    private var watchersByTopic: [Topic: Set<UInt64>] = [:]
    /// How many distinct watched prefixes there are of each length, to look a key's prefixes up.
    private var prefixLengths: [Int: Int] = [:]
    private var immediateCount = 0
    private var nextID: UInt64 = 1
    /// Up to where notices were handled; behind until the first `synchronize`.
    private var generation: UInt64 = 0

    init(replica: Replica, inbox: WatchInbox) {
        self.replica = replica
        self.inbox = inbox
    }

    /// How many watches wait.
    package var count: Int {
        watches.count
    }

    /// Waits for a commit that touches one of `topics`.
    package func park(
        _ topics: [Topic],
        urgency: Urgency = .immediate,
        wake: @escaping () -> Void
    ) -> WatchID {
        let id = nextID
        nextID += 1
        watches[id] = Watch(topics: topics, urgency: urgency, wake: wake)
        for topic in topics {
            if watchersByTopic[topic, default: []].isEmpty, case .keyPrefix(let prefix) = topic {
                prefixLengths[prefix.utf8.count, default: 0] += 1
            }
            watchersByTopic[topic, default: []].insert(id)
        }
        if urgency == .immediate {
            immediateCount += 1
            if immediateCount == 1 { inbox.setWantsWake(true) }
        }
        return WatchID(rawValue: id)
    }

    /// Ends a watch; nothing happens when it already fired.
    package func cancel(_ id: WatchID) {
        _ = remove(id.rawValue)
    }

    /// Handles every change published so far; cheap (one atomic load) when there is none.
    package func synchronize() {
        guard replica.generation != generation else { return }
        let delivery = inbox.take()
        generation = delivery.generation
        // Where notices are missing, every watch may be concerned.
        guard !delivery.hasOverflowed else { return fire(watches.keys.sorted()) }
        var touched = Set<UInt64>()
        for notice in delivery.notices { collect(notice.changes, into: &touched) }
        fire(touched.sorted())
    }

    private func collect(_ changes: ChangeSet, into touched: inout Set<UInt64>) {
        guard !watches.isEmpty else { return }
        for topic in changes.topics {
            if let ids = watchersByTopic[topic] { touched.formUnion(ids) }
        }
        for key in changes.keys {
            if let ids = watchersByTopic[.key(key)] { touched.formUnion(ids) }
            for length in prefixLengths.keys {
                // A cut inside a character is no prefix that anyone could watch.
                guard let prefix = String(key.utf8.prefix(length)), prefix.utf8.count == length,
                    let ids = watchersByTopic[.keyPrefix(prefix)]
                else { continue }
                touched.formUnion(ids)
            }
        }
        guard !changes.deletedPrefixes.isEmpty else { return }
        for (topic, ids) in watchersByTopic where topic.isOfKeys && changes.wakes(topic) {
            touched.formUnion(ids)
        }
    }

    /// Runs the closures in the order in which the watches were parked.
    private func fire(_ ids: [UInt64]) {
        for id in ids {
            // A closure that ran before may have cancelled this one.
            remove(id)?.wake()
        }
    }

    private func remove(_ id: UInt64) -> Watch? {
        guard let watch = watches.removeValue(forKey: id) else { return nil }
        for topic in watch.topics {
            watchersByTopic[topic]?.remove(id)
            guard watchersByTopic[topic]?.isEmpty == true else { continue }
            watchersByTopic[topic] = nil
            guard case .keyPrefix(let prefix) = topic else { continue }
            let remaining = prefixLengths[prefix.utf8.count, default: 1] - 1
            prefixLengths[prefix.utf8.count] = remaining == 0 ? nil : remaining
        }
        if watch.urgency == .immediate {
            immediateCount -= 1
            if immediateCount == 0 { inbox.setWantsWake(false) }
        }
        return watch
    }
}

extension Topic {
    /// True for the topics that `ChangeSet` answers by its keys.
    fileprivate var isOfKeys: Bool {
        switch self {
        case .key, .keyPrefix: true
        default: false
        }
    }
}
