import Dispatch
import Logging
import MusterAPI
import MusterBalancing
import Synchronization

/// Keeps the newest instances of each query in a directory for the next start.
///
/// Files are touched on a thread of its own. Trouble with them is logged and never stops a lookup.
final class SnapshotStore: Sendable {
    private struct State {
        var changed: [ObjectIdentifier: Feed] = [:]
        /// The lock of the directory, while this store is the one that writes.
        var lock: Int32?
        /// Whether it was said that another process writes.
        var toldOther = false
        var closed = false
    }

    private let directory: SnapshotDirectory
    private let scope: String
    private let maximumAge: Duration
    private let wallClock: WallClock
    private let logger: Logger
    private let queue = DispatchQueue(label: "muster.discovery.snapshots", qos: .utility)
    private let state = Mutex(State())
    /// Rings when there is something to write.
    let bell = Doorbell()

    /// - Parameters:
    ///   - directory: Where the files are.
    ///   - scope: What else than the query tells lists apart: the client's datacenter.
    ///   - maximumAge: The age beyond which a list is not used.
    ///   - wallClock: The time of day.
    ///   - logger: Where trouble is told.
    init(
        directory: String,
        scope: String,
        maximumAge: Duration,
        wallClock: WallClock,
        logger: Logger
    ) {
        self.directory = SnapshotDirectory(path: directory)
        self.scope = scope
        self.maximumAge = maximumAge
        self.wallClock = wallClock
        self.logger = logger
    }

    /// Notes that a feed has something new to keep.
    func changed(_ feed: Feed) {
        guard case .live = feed.current?.origin else { return }
        state.withLock { $0.changed[ObjectIdentifier(feed)] = feed }
        bell.ring()
    }

    /// The feeds that were noted since the last call.
    func takeChanged() -> [Feed] {
        state.withLock { state in
            defer { state.changed = [:] }
            return Array(state.changed.values)
        }
    }

    /// Writes the lists of all those feeds whose registry answers.
    func save(_ feeds: [Feed], now: ContinuousClock.Instant) async {
        let time = wallClock.now()
        let lists = feeds.compactMap { feed -> KeptList? in
            guard let snapshot = feed.current, case .live = snapshot.origin else { return nil }
            let confirmed = feed.confirmed ?? snapshot.confirmed
            return KeptList(
                key: key(of: feed.query),
                confirmed: time - confirmed.duration(to: now),
                index: snapshot.index,
                instances: snapshot.instances
            )
        }
        guard !lists.isEmpty else { return }
        await onQueue { self.write(lists) }
    }

    /// The list that an earlier run kept for a query, and how old it is; nil when none is usable.
    func load(_ query: ServiceQuery) async -> (instances: [Instance], age: Duration)? {
        let key = key(of: query)
        let time = wallClock.now()
        return await onQueue { self.read(key, of: query.name, at: time) }
    }

    /// Lets another process write; nothing is written any more.
    func close() {
        let lock = state.withLock { state in
            defer { state.lock = nil }
            state.closed = true
            return state.lock
        }
        if let lock { directory.unlock(lock) }
    }

    deinit { close() }

    // MARK: On the queue

    private func onQueue<Result: Sendable>(
        _ body: @escaping @Sendable () -> Result
    ) async -> Result {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: body()) }
        }
    }

    private func write(_ lists: [KeptList]) {
        do {
            guard try holdsLock() else { return }
            for list in lists {
                let bytes = list.bytes
                guard bytes.count <= Limits.keptListBytes else { continue }
                try directory.replace(fileName(list.key), with: bytes)
            }
        } catch {
            logger.warning("The instances cannot be kept on disk", metadata: ["error": "\(error)"])
        }
    }

    /// Whether this store may write; takes the lock when nobody else has it.
    private func holdsLock() throws(SnapshotDirectory.Failure) -> Bool {
        let (isHeld, isClosed) = state.withLock { ($0.lock != nil, $0.closed) }
        if isHeld || isClosed { return isHeld }
        try directory.create()
        guard let lock = try directory.lock() else {
            let isNews = state.withLock { state in
                defer { state.toldOther = true }
                return !state.toldOther
            }
            if isNews {
                logger.info(
                    "Another process keeps the instances in this directory; this one only reads",
                    metadata: ["directory": "\(directory.path)"]
                )
            }
            return false
        }
        state.withLock { $0.lock = lock }
        return true
    }

    private func read(
        _ key: String,
        of service: String,
        at time: Duration
    ) -> (instances: [Instance], age: Duration)? {
        let file = fileName(key)
        let refusal: any CustomStringConvertible
        do {
            guard let bytes = try directory.contents(of: file, atMost: Limits.keptListBytes) else {
                return nil
            }
            let list = try KeptList(bytes: bytes, key: key)
            // Negative when the time of day was set back meanwhile.
            let age = max(.zero, time - list.confirmed)
            guard age > maximumAge else { return (list.instances, age) }
            refusal = "it is \(age.components.seconds) seconds old"
        } catch let error as KeptList.Refusal {
            refusal = error
        } catch {
            refusal = "\(error)"
        }
        logger.warning(
            "A kept list of instances is not used",
            metadata: [
                "service": "\(service)", "file": "\(directory.path)/\(file)",
                "reason": "\(refusal)",
            ]
        )
        return nil
    }

    // MARK: Names

    /// What tells one query's list from all others; the token is no part of it.
    private func key(of query: ServiceQuery) -> String {
        "\(scope)|\(query.name)|\(query.label)|zone=\(query.zoneKey)"
    }

    private func fileName(_ key: String) -> String {
        let digits = String(StableHash.of(key), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits + ".instances"
    }
}
