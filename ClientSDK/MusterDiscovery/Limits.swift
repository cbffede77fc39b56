/// The bounds of this module, their defaults, and what happens at each.
///
/// Those that a user may change are settings of ``Discovery/Configuration``.
enum Limits {
    /// How many distinct queries one discovery watches; a further one fails with `tooMany`.
    static let watches = 2048

    /// How many sequences may be open on one query; a further one ends at once.
    static let subscribers = 65_536

    /// How many changes to a registration may wait for the registrar; a further one fails.
    static let pendingUpdates = 64

    /// How long an attempt to deregister at the end may take.
    static let deregistration = Duration.seconds(2)

    /// How long the wait between two attempts may grow.
    static let longestBackoff = Duration.seconds(10)
}
