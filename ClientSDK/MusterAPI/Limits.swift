/// The bounds of this module, their defaults, and what happens at each.
///
/// Those that a user may change are settings of ``ClientConfiguration``.
enum Limits {
    /// The largest body accepted from the registry; a larger one fails with `tooLarge`.
    static let responseBytes = 256 * 1024 * 1024

    /// How much of an error's body is kept in the error; the rest is dropped.
    static let errorBodyBytes = 4096

    /// How deep arrays and objects of an answer may nest; deeper ones fail with `invalidResponse`.
    ///
    /// Foundation's decoder has the same limit.
    static let nesting = 512

    /// How many lists, maps and names of one answer are remembered at once, each, to share their
    /// storage; a later one replaces an earlier one.
    static let sharedSlices = 1024

    /// The longest text of a check that goes into a request's line; a longer one goes into the
    /// body.
    static let noteBytes = 1024

    /// The largest token file read; a larger one fails with `invalidConfiguration`.
    static let tokenFileBytes = 64 * 1024

    /// How many watches may hold a connection at the same time; more wait for a connection.
    static let watches = 4096

    /// How many other requests may be under way at the same time; more wait for a connection.
    static let calls = 64

    /// The longest wait the registry grants a blocking query.
    ///
    /// - Source: Consul: Blocking Queries ("limited to 10 minutes"); the default is 5 minutes.
    static let longestWait = Duration.seconds(600)
    static let defaultWait = Duration.seconds(300)

    /// How much longer than the registry's own limit a blocking query may take before it counts
    /// as lost: the jitter of a sixteenth that the registry adds, and this.
    static let waitGrace = Duration.seconds(10)
}
