import DequeModule
package import Model

/// What the core knows of the log: every term, the recent entries, and how far they are safe.
///
/// Invariant: `base.index <= commit <= lastIndex` and `applied <= applying <= commit`.
package struct RaftLog: Sendable {
    var terms: TermRuns
    /// The newest entries without a gap, up to the last; a bounded part of the log.
    private var window: Deque<Entry> = []
    private(set) var windowBytes = 0
    private let windowLimitBytes: Int
    /// The newest snapshot that this server has on disk.
    package private(set) var snapshot: SnapshotPoint
    /// Every configuration that may still be in force, oldest first; never empty.
    ///
    /// Invariant: the first one was in force at `applied`; the others are later in the log.
    package private(set) var configurations: [PlacedConfiguration]
    /// Every entry up to here will be in the log of every later leader.
    package private(set) var commit: LogIndex
    /// Entries up to here were handed to the state machine.
    package internal(set) var applying: LogIndex
    /// Entries up to here are in the state machine.
    package internal(set) var applied: LogIndex
    /// Entries up to here are on this server's disk.
    package internal(set) var stable: LogIndex

    /// An empty log behind a snapshot.
    ///
    /// `base` is where the entries on disk start, at most the snapshot's own position. Follow
    /// with `recover` for each entry on disk.
    package init(
        snapshot: SnapshotPoint,
        base: LogPosition? = nil,
        limits: RaftLimits = .init()
    ) {
        let base = base ?? snapshot.position
        precondition(base.index <= snapshot.index, "a log that starts behind its snapshot")
        self.snapshot = snapshot
        terms = TermRuns(base: base)
        configurations = [snapshot.configuration]
        commit = snapshot.index
        applying = snapshot.index
        applied = snapshot.index
        stable = base.index
        windowLimitBytes = limits.windowBytes
    }

    package var lastIndex: LogIndex { terms.last }
    package var lastPosition: LogPosition { LogPosition(index: terms.last, term: terms.lastTerm) }
    /// The last entry that is gone from the log.
    package var base: LogPosition { terms.base }
    /// The configuration in force: the last one in the log, committed or not (Raft §6).
    package var configuration: PlacedConfiguration { configurations[configurations.count - 1] }

    /// The configuration before the one in force, while it may come back.
    var formerConfiguration: ClusterConfiguration? {
        configurations.count > 1 ? configurations[configurations.count - 2].configuration : nil
    }

    package func term(at index: LogIndex) -> Term? {
        terms.term(at: index)
    }

    func contains(_ position: LogPosition) -> Bool {
        terms.term(at: position.index) == position.term
    }

    /// Takes back an entry from disk at start; entries come in order from behind the base.
    ///
    /// Returns false for an entry that does not follow the one before.
    package mutating func recover(_ entry: Entry) -> Bool {
        guard entry.index == lastIndex.next, entry.term >= terms.lastTerm else { return false }
        append(entry)
        stable = lastIndex
        trimWindow(through: lastIndex)
        return true
    }

    /// Takes back what was known to be committed, behind all `recover(_:)`.
    ///
    /// - Precondition: The entries up to `index` are in the log, but for those in the snapshot.
    package mutating func recover(commit index: LogIndex) {
        commit(through: index)
    }

    mutating func append(_ entry: Entry) {
        precondition(entry.index == lastIndex.next, "a gap before entry \(entry.index)")
        terms.append(entry.term)
        window.append(entry)
        windowBytes += entry.sizeBytes
        guard case .configuration(let configuration) = entry.body else { return }
        guard entry.index > configurations[configurations.count - 1].index else { return }
        let placed = PlacedConfiguration(index: entry.index, configuration: configuration)
        if entry.index <= applied {
            configurations = [placed]
        } else {
            configurations.append(placed)
        }
    }

    /// Forgets the entries after `index`, and the configurations among them.
    mutating func truncate(after index: LogIndex, keepsConfigurations: Bool = false) {
        terms.truncate(after: index)
        while let entry = window.last, entry.index > index {
            window.removeLast()
            windowBytes -= entry.sizeBytes
        }
        stable = min(stable, index)
        guard !keepsConfigurations else { return }
        while configurations.count > 1, configurations[configurations.count - 1].index > index {
            configurations.removeLast()
        }
    }

    /// Replaces the whole log by a received snapshot.
    mutating func reset(to point: SnapshotPoint) {
        terms = TermRuns(base: point.position)
        window.removeAll()
        windowBytes = 0
        snapshot = point
        configurations = [point.configuration]
        commit = point.index
        applying = point.index
        stable = .zero
    }

    mutating func commit(through index: LogIndex) {
        guard index > commit else { return }
        precondition(index <= lastIndex, "commit \(index) beyond \(lastIndex)")
        commit = index
    }

    /// Notes what the state machine has; forgets configurations that were replaced before.
    mutating func markApplied(through index: LogIndex) {
        guard index > applied, index <= applying else { return }
        applied = index
        while configurations.count > 1, configurations[1].index <= applied {
            configurations.removeFirst()
        }
    }

    /// Notes a snapshot of this server's own and forgets the entries up to `index`.
    mutating func compact(through index: LogIndex, behind point: SnapshotPoint) {
        guard point.index > snapshot.index, point.index <= applied else { return }
        snapshot = point
        terms.compact(through: min(index, point.index))
        while let entry = window.first, entry.index <= terms.base.index {
            window.removeFirst()
            windowBytes -= entry.sizeBytes
        }
    }

    /// Drops old entries from memory while the window is too large; those after `index` stay.
    mutating func trimWindow(through index: LogIndex) {
        while windowBytes > windowLimitBytes, window.count > 1,
            let entry = window.first, entry.index <= index
        {
            window.removeFirst()
            windowBytes -= entry.sizeBytes
        }
    }

    // MARK: Reading the window

    /// What the entries behind the commit index amount to, as far as they are in memory.
    var uncommittedBytesInMemory: Int {
        window.reversed().prefix { $0.index > commit }.reduce(0) { $0 + $1.sizeBytes }
    }

    /// The first entry in memory; behind the last entry when there is none.
    package var windowStart: LogIndex { window.first?.index ?? lastIndex.next }

    /// The entry at `index` when it is in memory.
    package func entry(at index: LogIndex) -> Entry? {
        let start = windowStart
        guard index >= start, index <= lastIndex else { return nil }
        return window[window.startIndex + index.distance(after: start)]
    }

    /// Entries from the beginning of `range`, up to the first that is not in memory.
    package func entries(in range: ClosedRange<LogIndex>) -> [Entry] {
        let count = range.upperBound.distance(after: range.lowerBound) + 1
        return entries(from: range.lowerBound, countLimit: count, bytesLimit: .max)
    }

    /// Entries from `first` on that are in memory, as many as both limits admit but at least one.
    package func entries(
        from first: LogIndex,
        countLimit: Int,
        bytesLimit: Int
    ) -> [Entry] {
        var found: [Entry] = []
        var bytes = 0
        var index = first
        while found.count < countLimit, let entry = entry(at: index) {
            bytes += entry.sizeBytes
            if !found.isEmpty, bytes > bytesLimit { break }
            found.append(entry)
            index = index.next
        }
        return found
    }
}
