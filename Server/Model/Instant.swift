/// A moment of this process's monotonic clock.
///
/// Unit: nanoseconds since an arbitrary start; only differences mean something. The shell supplies
/// it, no core reads a clock.
package struct Instant: Hashable, Comparable, Sendable {
    package var nanoseconds: UInt64

    package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    package static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The moment `duration` later; a negative duration counts as zero, overflow saturates.
    package func advanced(by duration: Nanoseconds) -> Instant {
        let step = UInt64(max(0, duration.rawValue))
        let (sum, overflow) = nanoseconds.addingReportingOverflow(step)
        return Instant(nanoseconds: overflow ? .max : sum)
    }

    /// How long after `earlier` this is; zero when it is not after.
    package func since(_ earlier: Instant) -> Nanoseconds {
        guard self > earlier else { return .zero }
        return Nanoseconds(rawValue: Int64(clamping: nanoseconds - earlier.nanoseconds))
    }
}
