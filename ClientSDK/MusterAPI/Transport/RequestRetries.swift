/// How often the client sends a request anew by itself, and how long it waits before.
///
/// What is sent again is decided by one rule:
/// - A read outside of a blocking query is sent again when the connection broke, and when the
///   registry answered 429 or 5xx: reading twice does no harm.
/// - Any request is sent again when it certainly never left: the connection was refused, the host
///   not found, the handshake failed.
/// - A write that may have arrived is never sent again, not even one with a condition: the second
///   answer would be `false` for a write that took effect. Its error has the code `unreachable` or
///   `timeout`, and the caller knows what asking again means.
/// - A blocking query, or any read with a `wait`, is never sent again: whoever blocks asks again in
///   a loop of its own, which also resets the index.
///
/// Before the client waits, each address of ``ClientConfiguration/addresses`` is tried once.
public struct RequestRetries: Hashable, Sendable {
    /// How often a request is sent at most to each address, the first time included.
    ///
    /// Default 3; 1 never sends again.
    public var attempts: Int

    /// The limit of the first wait, of which a wait is a random share; it doubles each time.
    ///
    /// Default 50 ms.
    public var firstWait: Duration

    /// What the limit never exceeds.
    ///
    /// Default 1 second.
    public var longestWait: Duration

    /// Makes a setting.
    public init(
        attempts: Int = 3,
        firstWait: Duration = .milliseconds(50),
        longestWait: Duration = .seconds(1)
    ) {
        self.attempts = attempts
        self.firstWait = firstWait
        self.longestWait = longestWait
    }

    /// Sends each request once to each address.
    public static let off = RequestRetries(attempts: 1)
}
