import Glibc
import Model

/// The clocks of the machine, for the shell alone.
enum Clocks {
    /// The wall clock; never before 1970.
    @Sendable static func wall() -> Timestamp {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let seconds = UInt64(max(0, now.tv_sec))
        return Timestamp(nanosecondsSinceEpoch: seconds * 1_000_000_000 + UInt64(now.tv_nsec))
    }
}
