/// The bounds of this module, their defaults, and what happens at each.
///
/// Those that a user may change are settings of ``Discovery/Configuration``.
enum Limits {
    /// How many distinct queries one discovery watches; a further one fails with `tooMany`.
    static let watches = 2048

    /// How many sequences may be open on one query; a further one ends at once.
    static let subscribers = 65_536

    /// How long each request that takes an instance out at the end may take; then the end goes on.
    static let leaving = Duration.seconds(2)

    /// How long a heartbeat may be under way at most, whatever the TTL; then it is sent again.
    static let longestBeat = Duration.seconds(10)

    /// How long the wait between two attempts may grow.
    static let longestBackoff = Duration.seconds(10)
}
