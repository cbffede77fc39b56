/// Limits how often something happens: a few at once, then evenly, then more and more rarely.
///
/// Each use that had to wait shows that more is wanted than allowed. After ``patience`` of them in
/// a row the distance doubles, up to ``slowest``; the first one that need not wait ends that.
package struct TokenBucket: Sendable {
    /// How many waits in a row make the distance double.
    package static let patience = 5

    /// How many may happen at once.
    package let burst: Int

    /// How long one more takes to be allowed.
    package let refill: Duration

    /// How far apart they are at most when more is wanted all the time.
    package let slowest: Duration

    /// When the bucket was, or will be, full.
    private var full: ContinuousClock.Instant?
    /// How many uses in a row had to wait.
    private var waits = 0

    /// Makes a full bucket.
    ///
    /// - Parameters:
    ///   - burst: How many may happen at once.
    ///   - refill: How long one more takes to be allowed.
    ///   - slowest: How long it takes at most under lasting pressure; nil is always `refill`.
    package init(burst: Int, refill: Duration, slowest: Duration? = nil) {
        self.burst = burst
        self.refill = refill
        self.slowest = max(refill, slowest ?? refill)
    }

    /// How far apart uses are at present.
    package var distance: Duration {
        min(slowest, refill * (1 << min(waits / Self.patience, 16)))
    }

    /// Takes a token and returns from when on it may be used: now, or later.
    package mutating func take(at now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        let start = max(full ?? now, now)
        let allowed = start - refill * (burst - 1)
        waits = allowed > now ? waits + 1 : 0
        full = start + distance
        return max(now, allowed)
    }
}
