import MusterAPI

/// Decides how a lock is taken and watched over; does no I/O.
///
/// - Source: Consul: "Sessions" and "Leader election"; the Go client's lock.
struct LockCore: Sendable {
    /// The flags that mark a key as a lock: the Go client's.
    static let flags: UInt64 = 0x2ddc_cbc0_58a5_0c18

    /// What is done next.
    enum Step: Hashable {
        /// Nothing before the moment.
        case sleep(until: ContinuousClock.Instant)
        /// Read the key, for its state now without an index, else for what follows the index.
        case read(index: UInt64?, wait: Duration)
        /// Try to take the lock.
        case acquire
    }

    private enum Phase {
        /// Someone else holds the lock, or nothing is known yet.
        case looking
        /// The lock looked free, with the modify index of its key, 0 for none.
        case free(UInt64)
        /// The registry refused although the lock had looked free: who holds it?
        case refused(UInt64)
        /// The lock is free, but its last holder vanished and the registry keeps it closed.
        case delayed(until: ContinuousClock.Instant)
        case held
    }

    let key: String
    let session: String
    private let delayRetry: Duration
    private var phase = Phase.looking
    private var query: BlockingQuery

    init(
        key: String,
        session: String,
        delayRetry: Duration,
        settings: BlockingQuery.Settings
    ) {
        self.key = key
        self.session = session
        self.delayRetry = delayRetry
        query = BlockingQuery(settings: settings)
    }

    mutating func next(now: ContinuousClock.Instant) -> Step {
        switch phase {
        case .free: return .acquire
        case .delayed(let end):
            if now < end { return .sleep(until: end) }
            phase = .looking
            query.restart()
        case .looking, .refused, .held: break
        }
        switch query.next(now: now) {
        case .sleep(let moment): return .sleep(until: moment)
        case .ask(let index, let wait): return .read(index: index, wait: wait)
        }
    }

    /// Takes the key's entry, nil when there is none.
    ///
    /// - Throws: A conflict when the key is something else than a lock.
    mutating func read(
        _ entry: KeyValuePair?,
        index: UInt64,
        now: ContinuousClock.Instant,
        using random: inout some RandomNumberGenerator
    ) throws(CoordinationError) -> Finding {
        _ = query.answered(index: index, now: now, using: &random)
        if let entry, entry.session == session {
            phase = .held
            let token = FencingToken(
                key: key,
                session: session,
                index: entry.modifyIndex,
                lockIndex: entry.lockIndex
            )
            return .held(token)
        }
        if case .held = phase { return .lost }
        if let entry, entry.flags != Self.flags {
            throw CoordinationError(
                code: .conflict,
                key: key,
                message: "the key exists with other flags and is no lock"
            )
        }
        if !(entry?.session ?? "").isEmpty {
            phase = .looking
        } else if case .refused(let index) = phase, index == entry?.modifyIndex ?? 0 {
            // Nobody has held it in between: it is its last holder that vanished.
            let spread = 0.9 + 0.2 * Double.random(in: 0..<1, using: &random)
            phase = .delayed(until: now + delayRetry * spread)
        } else {
            phase = .free(entry?.modifyIndex ?? 0)
        }
        return .open
    }

    /// Takes the registry's answer to the attempt; in either case the key is read at once.
    mutating func answered(acquired: Bool) {
        if case .free(let index) = phase, !acquired {
            phase = .refused(index)
        } else {
            phase = .looking
        }
        query.restart()
    }

    /// A reading or an attempt failed; the attempt may have succeeded all the same, so the key is
    /// read next.
    mutating func failed(
        now: ContinuousClock.Instant,
        using random: inout some RandomNumberGenerator
    ) {
        if case .held = phase {} else { phase = .looking }
        query.failed(now: now, using: &random)
    }
}
