/// Moments and spans as machine words, in units that need no division.
///
/// A tick is 2^30 attoseconds, about 1.07 ns; a moment counts from when the process first asked.
/// Where the count begins cancels out: only differences are ever used.
enum Ticks {
    private static let reference = ContinuousClock.now

    /// The moment, in ticks; clamped 313 years away.
    @inline(__always)
    static func at(_ instant: ContinuousClock.Instant) -> Int64 {
        of(reference.duration(to: instant))
    }

    /// The span, in ticks; clamped at 313 years.
    @inline(__always)
    static func of(_ duration: Duration) -> Int64 {
        let ticks = duration.attoseconds >> 30
        let cut = Int64(truncatingIfNeeded: ticks)
        // The generic clamping is slow; it is hardly ever needed.
        return ticks == Int128(cut) ? cut : ticks < 0 ? .min : .max
    }

    /// The moment that `ticks` stands for.
    static func instant(_ ticks: Int64) -> ContinuousClock.Instant {
        reference.advanced(by: Duration(attoseconds: Int128(ticks) << 30))
    }

    /// The span that `ticks` stands for.
    static func duration(_ ticks: Int64) -> Duration {
        Duration(attoseconds: Int128(ticks) << 30)
    }
}
