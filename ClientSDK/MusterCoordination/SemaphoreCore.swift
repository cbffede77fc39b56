import MusterAPI

/// Decides how a place in a semaphore is taken and watched over; does no I/O.
///
/// Every contender keeps a key of its own, `<prefix>/<session>`, locked by its session. Who holds
/// a place stands in `<prefix>/.lock`, which is only written by comparing and setting. A holder
/// without its own locked key is dead, and whoever writes the record next leaves it out.
///
/// - Source: Consul: "Semaphore"; the Go client's semaphore.
struct SemaphoreCore: Sendable {
    /// The flags that mark keys as a semaphore's: the Go client's.
    static let flags: UInt64 = 0xe0f6_9a2b_aa41_4de0

    /// What is done next.
    enum Step: Hashable {
        /// Nothing before the moment.
        case sleep(until: ContinuousClock.Instant)
        /// Make and lock the contender's own key.
        case enter
        /// List the prefix, for its state now without an index, else for what follows the index.
        case read(index: UInt64?, wait: Duration)
        /// Write the record unless it has changed since.
        case claim(SemaphoreRecord, unchangedSince: UInt64)
    }

    private enum Phase {
        case outside
        case looking
        case claiming(SemaphoreRecord, unchangedSince: UInt64)
        case held
    }

    let prefix: String
    let session: String
    let limit: Int
    private var phase = Phase.outside
    private var query: BlockingQuery
    private var notBefore: ContinuousClock.Instant?

    init(prefix: String, session: String, limit: Int, settings: BlockingQuery.Settings) {
        self.prefix = prefix
        self.session = session
        self.limit = limit
        query = BlockingQuery(settings: settings)
    }

    /// The key of the record.
    static func recordKey(_ prefix: String) -> String { join(prefix, ".lock") }

    /// The contender's own key.
    var contenderKey: String { Self.join(prefix, session) }

    private static func join(_ prefix: String, _ name: String) -> String {
        prefix.hasSuffix("/") ? prefix + name : prefix + "/" + name
    }

    mutating func next(now: ContinuousClock.Instant) -> Step {
        if let notBefore, now < notBefore { return .sleep(until: notBefore) }
        switch phase {
        case .outside: return .enter
        case .claiming(let record, let index): return .claim(record, unchangedSince: index)
        case .looking, .held: break
        }
        switch query.next(now: now) {
        case .sleep(let moment): return .sleep(until: moment)
        case .ask(let index, let wait): return .read(index: index, wait: wait)
        }
    }

    /// The contender's own key was made and locked.
    mutating func entered() {
        phase = .looking
        query.restart()
    }

    /// Takes the entries below the prefix.
    ///
    /// - Throws: When the prefix holds something else, or a semaphore with another limit.
    mutating func read(
        _ entries: [KeyValuePair],
        index: UInt64,
        now: ContinuousClock.Instant,
        using random: inout some RandomNumberGenerator
    ) throws(CoordinationError) -> Finding {
        _ = query.answered(index: index, now: now, using: &random)
        let entry = entries.first { $0.key == Self.recordKey(prefix) }
        var record = try record(entry)
        record.holders.formIntersection(entries.compactMap(\.session))
        let hasEntered = entries.contains { $0.session == session && $0.key == contenderKey }
        if hasEntered, record.holders.contains(session) {
            phase = .held
            let index = entry?.modifyIndex ?? 0
            return .held(FencingToken(key: prefix, session: session, index: index))
        }
        if case .held = phase { return .lost }
        guard record.limit == limit else {
            throw CoordinationError(
                code: .limitConflict,
                key: prefix,
                message: "the semaphore has room for \(record.limit), not for \(limit)"
            )
        }
        if !hasEntered {
            phase = .outside
        } else if record.holders.count < limit {
            record.holders.insert(session)
            phase = .claiming(record, unchangedSince: entry?.modifyIndex ?? 0)
        } else {
            phase = .looking
        }
        return .open
    }

    /// The registry took the record, or refused it because it had changed: it is read again.
    mutating func claimed() {
        phase = .looking
        query.restart()
    }

    /// A request failed; it may have taken effect all the same, so the prefix is read next.
    mutating func failed(
        now: ContinuousClock.Instant,
        using random: inout some RandomNumberGenerator
    ) {
        switch phase {
        case .outside:
            // Nothing is read from outside: the query's wait is this one's.
            query.failed(now: now, using: &random)
            if case .sleep(let moment) = query.next(now: now) { notBefore = moment }
        case .held: query.failed(now: now, using: &random)
        case .looking, .claiming:
            phase = .looking
            query.failed(now: now, using: &random)
        }
    }

    /// The record with this session left out, nil when it is not in it.
    static func leaving(_ record: SemaphoreRecord, session: String) -> SemaphoreRecord? {
        var record = record
        return record.holders.remove(session) == nil ? nil : record
    }

    private func record(_ entry: KeyValuePair?) throws(CoordinationError) -> SemaphoreRecord {
        guard let entry else { return SemaphoreRecord(limit: limit) }
        guard entry.flags == Self.flags else {
            throw CoordinationError(
                code: .conflict,
                key: entry.key,
                message: "the key exists with other flags and is no semaphore"
            )
        }
        if entry.value.isEmpty { return SemaphoreRecord(limit: limit) }
        do {
            return try SemaphoreRecord(bytes: entry.value)
        } catch {
            throw CoordinationError(
                code: .damaged,
                key: entry.key,
                message: "the semaphore's record cannot be read: \(entry.text.prefix(200))"
            )
        }
    }
}
