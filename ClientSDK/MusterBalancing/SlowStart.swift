/// How an instance that is new, or has returned, takes up its share little by little.
///
/// - Source: Envoy `slow_start.rst`.
public struct SlowStart: Hashable, Sendable {
    /// How long it takes.
    public var window: Duration

    /// How the share grows: time to the power of 1/aggression.
    ///
    /// 1 is a straight line; larger values give much early on. Clamped to at least 0.01.
    public var aggression = 1.0

    /// The share it begins with, from 0 to 1.
    public var floor = 0.1

    /// Makes the settings.
    ///
    /// - Parameter window: How long it takes.
    public init(window: Duration) { self.window = window }

    /// The share of its weight that an instance has after warming for `elapsed` ticks.
    func share(after elapsed: Int64) -> Double {
        let window = Ticks.of(window)
        guard elapsed < window else { return 1 }
        let progress = Double(max(0, elapsed)) / Double(window)
        let share = Approximation.power(progress, 1 / max(aggression, 0.01))
        return min(1, max(share, max(floor, 0)))
    }
}
