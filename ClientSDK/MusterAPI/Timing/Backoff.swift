/// How long to wait after failures: a random share of a limit that doubles each time.
///
/// The whole range is random, so that clients which lost the same registry come back spread out.
package struct Backoff: Sendable {
    /// The limit after the first failure.
    package let base: Duration

    /// What the limit never exceeds.
    package let cap: Duration

    package private(set) var failures = 0

    package init(base: Duration, cap: Duration) {
        self.base = base
        self.cap = cap
    }

    /// Counts a failure and returns how long to wait.
    package mutating func fail(using random: inout some RandomNumberGenerator) -> Duration {
        let limit = min(cap, base * (1 << min(failures, 16)))
        failures += 1
        return limit * Double.random(in: 0..<1, using: &random)
    }

    package mutating func succeed() { failures = 0 }
}
