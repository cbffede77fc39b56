/// When a slow call is sent to a second instance as well, the first answer winning.
///
/// Only for calls that may be acted on twice.
///
/// - Source: gRPC A6 (hedging); Dean, Barroso, "The Tail at Scale" (2013); Finagle
///   `BackupRequestFilter`.
public struct HedgingPolicy: Hashable, Sendable {
    /// How long an answer may take before the next attempt.
    public enum Delay: Hashable, Sendable {
        /// Always as long.
        case fixed(Duration)
        /// As long as this share of calls took, lately; the duration as long as that is unknown,
        /// and never less than the duration.
        case quantile(Double, atLeast: Duration)
    }

    /// How long an answer may take before the next attempt.
    public var delay: Delay

    /// How many attempts are made at most, the first included; clamped to 1…5.
    ///
    /// - Source: gRPC A6: at most 5.
    public var attempts = 2

    /// Makes a policy.
    ///
    /// - Parameter delay: How long an answer may take before the next attempt.
    public init(delay: Delay) { self.delay = delay }

    /// How long to wait, given what calls took lately.
    public func delay(_ latencies: LatencyHistogram) -> Duration {
        switch delay {
        case .fixed(let delay): max(.zero, delay)
        case .quantile(let share, let least):
            max(.zero, latencies.quantile(share) ?? least, least)
        }
    }
}

/// One call under a hedging policy: decides, at each moment, what to do next.
///
/// Pure: whoever makes the attempts tells it what happened and asks ``next(at:budget:)``, again
/// whenever an attempt has ended or the time it named has come.
public struct HedgedCall: Sendable {
    /// What to do next.
    public enum Step: Hashable, Sendable {
        /// Make an attempt, on an instance that has none yet; it counts as made.
        case send
        /// Nothing before this moment, unless an attempt ends.
        case wait(until: ContinuousClock.Instant)
        /// Nothing, until an attempt ends.
        case waitForAttempts
        /// The call is over: cancel the attempts that are left.
        case finish
    }

    /// How an attempt ended.
    public enum Ending: Hashable, Sendable {
        /// With the answer: the call is over.
        case answered
        /// With a failure that another attempt may avoid; the next one is made at once.
        case failed
        /// With a failure that no attempt will avoid: the call is over.
        case failedForGood
        /// With the request not to try again; attempts under way go on.
        case refused
    }

    /// How many attempts were made.
    public private(set) var attempts = 0

    /// How many of them are under way.
    public private(set) var underway = 0

    private let most: Int
    private let delay: Duration
    private var due: ContinuousClock.Instant
    private var isOver = false
    private var mayTryAgain = true

    /// Begins a call.
    ///
    /// - Parameters:
    ///   - policy: When further attempts are made.
    ///   - latencies: What calls took lately.
    ///   - now: When it begins; the first attempt is due at once.
    public init(
        _ policy: HedgingPolicy,
        latencies: LatencyHistogram = LatencyHistogram(),
        at now: ContinuousClock.Instant
    ) {
        most = max(1, min(policy.attempts, Limits.hedges))
        delay = policy.delay(latencies)
        due = now
    }

    /// What to do now.
    ///
    /// - Parameters:
    ///   - now: When.
    ///   - budget: Must allow each attempt but the first; an attempt it refuses is not made later
    ///     either.
    /// - Returns: The next step.
    public mutating func next(
        at now: ContinuousClock.Instant,
        budget: RetryBudget? = nil
    ) -> Step {
        guard !isOver else { return .finish }
        guard mayTryAgain, attempts < most else {
            return underway > 0 ? .waitForAttempts : .finish
        }
        guard now >= due else { return .wait(until: due) }
        if let budget, attempts > 0, !budget.withdraw(at: now) {
            mayTryAgain = false
            return underway > 0 ? .waitForAttempts : .finish
        }
        attempts += 1
        underway += 1
        due = now.advanced(by: delay)
        return .send
    }

    /// Notes that an attempt has ended.
    ///
    /// - Parameters:
    ///   - ending: How.
    ///   - now: When.
    public mutating func ended(_ ending: Ending, at now: ContinuousClock.Instant) {
        underway = max(0, underway - 1)
        switch ending {
        case .answered, .failedForGood: isOver = true
        case .failed: due = min(due, now)
        case .refused: mayTryAgain = false
        }
    }
}
