/// A moment of the leader's wall clock, stamped into a log entry before it is replicated.
///
/// The state store never reads a clock: whatever depends on time (lock-delay, session expiry)
/// compares these stamps. Unit: nanoseconds since 1970-01-01T00:00:00Z; never before it.
package struct Timestamp: Hashable, Comparable, Sendable {
    package var nanosecondsSinceEpoch: UInt64

    package init(nanosecondsSinceEpoch: UInt64) {
        self.nanosecondsSinceEpoch = nanosecondsSinceEpoch
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.nanosecondsSinceEpoch < right.nanosecondsSinceEpoch
    }

    /// The moment `duration` later; a negative duration counts as zero, overflow saturates.
    package func advanced(by duration: Nanoseconds) -> Timestamp {
        let step = UInt64(max(0, duration.rawValue))
        let (sum, overflow) = nanosecondsSinceEpoch.addingReportingOverflow(step)
        return Timestamp(nanosecondsSinceEpoch: overflow ? .max : sum)
    }
}

/// A length of time as Consul's records carry it: a signed number of nanoseconds.
///
/// - Source: Consul: Go's `time.Duration` in every record that has one.
package struct Nanoseconds: RawRepresentable, Hashable, Comparable, Sendable {
    package var rawValue: Int64

    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    package static let zero = Nanoseconds(rawValue: 0)

    package static func seconds(_ count: Int64) -> Nanoseconds {
        Nanoseconds(rawValue: count * 1_000_000_000)
    }

    package static func milliseconds(_ count: Int64) -> Nanoseconds {
        Nanoseconds(rawValue: count * 1_000_000)
    }

    package static func < (left: Nanoseconds, right: Nanoseconds) -> Bool {
        left.rawValue < right.rawValue
    }

    /// The same length as the standard library's type.
    package var duration: Duration {
        .nanoseconds(rawValue)
    }
}
