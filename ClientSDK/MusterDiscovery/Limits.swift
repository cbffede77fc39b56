/// The bounds of this module, their defaults, and what happens at each.
///
/// Those that a user may change are settings of ``Discovery/Configuration``.
enum Limits {
    /// How many distinct queries one discovery watches; a further one fails with `tooMany`.
    static let watches = 2048

    /// How many sequences may be open on one query; a further one ends at once.
    static let subscribers = 65_536

    /// How long a datacenter may take to answer at all before the next one is asked, too.
    static let firstAnswerPatience = Duration.seconds(2)

    /// How long each request that takes an instance out at the end may take; then the end goes on.
    static let leaving = Duration.seconds(2)

    /// How long a heartbeat may be under way at most, whatever the TTL; then it is sent again.
    static let longestBeat = Duration.seconds(10)

    /// How many watches may start at once; those that follow within a second are spread over one.
    static let promptStarts = 10
    static let startSpread = Duration.seconds(1)

    /// How long the registry has to answer before a list from an earlier run serves.
    static let coldStart = Duration.seconds(1)

    /// The largest file of a kept list; a larger one is neither written nor read.
    static let keptListBytes = 64 * 1024 * 1024

    /// How long changes are collected before they are kept on disk.
    static let keepDelay = Duration.seconds(1)

    /// How often the age of what is kept on disk is brought up to date at most.
    static let shortestRefresh = Duration.seconds(60)

    /// How long the wait between two attempts may grow.
    static let longestBackoff = Duration.seconds(10)
}
