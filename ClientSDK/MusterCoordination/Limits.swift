/// The bounds of this module, their defaults, and what happens at each.
///
/// Those that a user may change are settings of ``LockOptions``.
enum Limits {
    /// How long giving up a lock may take, also after cancellation; then the session's TTL ends it.
    static let leaving = Duration.seconds(2)

    /// The range of the first random wait after a failure; it doubles with each up to the cap.
    static let backoffBase = Duration.milliseconds(500)
    static let longestBackoff = Duration.seconds(10)

    /// How many queries may follow each other at once, and how far apart they are then.
    static let queryBurst = 8
    static let queryDistance = Duration.milliseconds(250)
    static let longestQueryDistance = Duration.seconds(1)

    /// How long after a failure a session is renewed again.
    static let renewalRetry = Duration.seconds(1)

    /// The largest number of holders a semaphore may have; a larger limit is refused.
    static let semaphoreHolders = 65_536
}
