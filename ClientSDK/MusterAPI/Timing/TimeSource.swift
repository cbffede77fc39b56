/// What the SDK takes the time from, so that tests can move it by hand.
public struct TimeSource: Sendable {
    /// The present moment.
    public var now: @Sendable () -> ContinuousClock.Instant

    /// Suspends until a moment; throws `CancellationError` when the task is cancelled.
    public var sleep: @Sendable (_ until: ContinuousClock.Instant) async throws -> Void

    /// Makes a clock of two functions.
    public init(
        now: @escaping @Sendable () -> ContinuousClock.Instant,
        sleep: @escaping @Sendable (_ until: ContinuousClock.Instant) async throws -> Void
    ) {
        self.now = now
        self.sleep = sleep
    }

    /// The machine's monotonic clock, which goes on while the machine sleeps.
    public static let system = TimeSource(
        now: { ContinuousClock.now },
        sleep: { try await ContinuousClock().sleep(until: $0) }
    )
}
