/// The bounds of this module, their defaults, and what happens at each.
enum Limits {
    /// The most attempts of one call; a larger wish is clamped.
    static let attempts = 16

    /// The most services one ``ServiceHTTPClient`` knows; a call to a further one fails.
    static let services = 1024

    /// The largest answer that is read to its end before another instance is tried, in bytes.
    ///
    /// Its connection can be used again; a larger answer's connection is closed.
    static let drainedBytes = 16 * 1024

    /// How long that reading may hold the next attempt up.
    static let drainTime = Duration.milliseconds(20)

    /// How long a call may take unless it says otherwise.
    static let timeout = Duration.seconds(10)

    /// How long connecting to an instance may take: on a datacenter's network one that needs
    /// longer is dead, and another one is tried.
    static let connectTimeout = Duration.milliseconds(500)

    /// How long an instance may be silent in the middle of an answer.
    static let readTimeout = Duration.seconds(30)

    /// How many connections an HTTP/1 instance gets; further calls to it wait for one.
    static let connectionsPerInstance = 64
}
