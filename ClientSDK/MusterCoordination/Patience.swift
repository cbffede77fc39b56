import MusterAPI

/// Until when something is waited for.
///
/// Only waiting is bounded, not asking: what is free at once is taken also without any patience.
struct Patience: Sendable {
    let key: String
    let clock: TimeSource

    /// Nil is without end.
    let deadline: ContinuousClock.Instant?

    init(key: String, options: LockOptions) {
        self.key = key
        clock = options.clock
        deadline = options.timeout.map { options.clock.now() + max(.zero, $0) }
    }

    /// The part of `wait` that there is time for.
    ///
    /// - Throws: ``CoordinationError`` with code `timeout` when there is none left.
    func limit(_ wait: Duration) throws -> Duration {
        guard let deadline else { return wait }
        let rest = clock.now().duration(to: deadline)
        guard rest > .zero else {
            throw CoordinationError(code: .timeout, key: key, message: "it was not free in time")
        }
        return min(wait, rest)
    }

    /// Sleeps until the moment, or the deadline if that is sooner.
    ///
    /// - Throws: ``CoordinationError`` when there is no time left; `CancellationError`.
    func sleep(until moment: ContinuousClock.Instant) async throws {
        let now = clock.now()
        try await clock.sleep(now + limit(now.duration(to: moment)))
    }
}
