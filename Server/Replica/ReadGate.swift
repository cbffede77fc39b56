import Glibc
package import Model
import Synchronization

/// Whether what is published has every write that was acknowledged anywhere: an answer for any
/// thread, without a lock.
///
/// The log keeps it. Order of its duties: it announces a commit before anyone can learn of it, and
/// the replica publishes before it marks as applied.
package final class ReadGate: Sendable {
    /// Until when this server is certain to be the only leader, in nanoseconds of `now`.
    private let leaseEnd = Atomic<UInt64>(0)
    private let committed = Atomic<UInt64>(0)
    private let applied = Atomic<UInt64>(0)

    package init() {}

    /// The clock of leases: monotonic, and it goes on while the machine sleeps.
    package static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Instant(
            nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        )
    }

    /// True when a read of what is published next is linearizable; ask before loading it.
    package var isOpen: Bool {
        let end = leaseEnd.load(ordering: .acquiring)
        guard end > 0, end == .max || ReadGate.now.nanoseconds < end else { return false }
        return applied.load(ordering: .acquiring) >= committed.load(ordering: .acquiring)
    }

    /// Notes until when this server leads; nil when it does not.
    package func setLease(_ end: Instant?) {
        leaseEnd.store(end?.nanoseconds ?? 0, ordering: .releasing)
    }

    /// Notes what is committed, before it is told to anyone.
    package func setCommitted(_ index: LogIndex) {
        committed.store(index.rawValue, ordering: .releasing)
    }

    /// Notes what is published.
    package func setApplied(_ index: LogIndex) {
        applied.store(index.rawValue, ordering: .releasing)
    }
}
