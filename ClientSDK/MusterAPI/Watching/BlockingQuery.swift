/// Decides when a loop of blocking queries asks next and with which index; does no I/O.
///
/// One value per query, datacenter and token: indexes mean nothing across those.
///
/// - Source: Consul: "Blocking Queries", implementation details. Each rule says what goes wrong
///   without it.
package struct BlockingQuery: Sendable {
    /// What the loop does next.
    package enum Step: Hashable, Sendable {
        /// Wait until the moment, then ask for the next step again.
        case sleep(until: ContinuousClock.Instant)
        /// Ask the registry: for its state now without an index, else for what follows the index.
        case ask(index: UInt64?, wait: Duration)
    }

    /// What the index of an answer says.
    package enum Advance: Hashable, Sendable {
        /// The first answer, or one with a higher index.
        case forward
        /// The index asked with: the wait ran out.
        case same
        /// A lower index: the registry was restarted or its state restored; the next query starts
        /// over.
        case back
        /// No index at all, which no registry should say: treated like a failure.
        case zero
    }

    /// How patient a loop is.
    package struct Settings: Hashable, Sendable {
        /// How long one query waits.
        ///
        /// Longer means fewer requests and later notice of a dead connection.
        package var wait = Duration.seconds(60)
        /// The range of the first random wait after a failure; it doubles with each.
        package var backoffBase = Duration.milliseconds(500)
        package var backoffCap = Duration.seconds(8)
        /// How many queries may follow each other at once, and how far apart they are then.
        package var burst = 2
        package var refill = Duration.seconds(1)
        /// How far apart queries are when the answer changes all the time.
        package var slowest = Duration.seconds(12)

        package init() {}
    }

    /// The least time between queries to a registry that gives no index.
    private static let zeroPause = Duration.seconds(1)

    package let settings: Settings
    private var backoff: Backoff
    private var bucket: TokenBucket

    /// The index to ask with next; nil asks for the state now.
    package private(set) var index: UInt64?
    private var notBefore: ContinuousClock.Instant?
    /// Invariant: set only while a token of the bucket is held for the next request.
    private var tokenFrom: ContinuousClock.Instant?

    package init(settings: Settings = Settings()) {
        self.settings = settings
        backoff = Backoff(base: settings.backoffBase, cap: settings.backoffCap)
        bucket = TokenBucket(
            burst: settings.burst,
            refill: settings.refill,
            slowest: settings.slowest
        )
    }

    /// How many queries in a row have failed.
    package var failures: Int { backoff.failures }

    /// How far apart queries have to be at present.
    package var distance: Duration { bucket.distance }

    /// What to do now.
    ///
    /// - Parameters:
    ///   - now: The present moment.
    ///   - longestWait: Shortens the wait of this query, for who wants to hear sooner.
    /// - Returns: The step; a spurious call is harmless.
    package mutating func next(
        now: ContinuousClock.Instant,
        longestWait: Duration? = nil
    ) -> Step {
        // A token counts from when it is used: one taken before a wait would be a third at once.
        let earliest = max(now, notBefore ?? now)
        let token = tokenFrom ?? bucket.take(at: earliest)
        tokenFrom = token
        let start = max(token, earliest)
        guard start <= now else { return .sleep(until: start) }
        tokenFrom = nil
        notBefore = nil
        // Less than a millisecond would be sent as 0, which means the registry's default.
        let wait = max(.milliseconds(1), min(settings.wait, longestWait ?? settings.wait))
        return .ask(index: index, wait: wait)
    }

    /// Delays the next query; for the first ones of many that start together.
    package mutating func delay(until moment: ContinuousClock.Instant) { notBefore = moment }

    /// Applies the rules for the index of an answer.
    package mutating func answered(
        index answerIndex: UInt64,
        now: ContinuousClock.Instant,
        using random: inout some RandomNumberGenerator
    ) -> Advance {
        if answerIndex == 0 {
            // Asking with 0 would not block and spin.
            notBefore = now + max(Self.zeroPause, backoff.fail(using: &random))
            index = 1
            return .zero
        }
        backoff.succeed()
        let asked = index ?? 0
        guard answerIndex >= asked else {
            // With the old index the query would hang until the registry has counted up to it; and
            // the answer may be older than what the new count began with.
            index = nil
            return .back
        }
        index = answerIndex
        return answerIndex == asked ? .same : .forward
    }

    /// Takes a failure: the next query comes after a random wait, whose range doubles.
    ///
    /// - Parameters:
    ///   - keepsIndex: Whether the registry is known to be the same one, counting as before. A
    ///     restarted one may count from lower, and a query with the old index would hang on it.
    ///   - now: The present moment.
    ///   - random: What the wait is drawn from.
    package mutating func failed(
        keepsIndex: Bool = false,
        now: ContinuousClock.Instant,
        using random: inout some RandomNumberGenerator
    ) {
        if !keepsIndex { index = nil }
        notBefore = now + backoff.fail(using: &random)
    }

    /// Makes the next query ask for the state now.
    package mutating func restart() { index = nil }
}
