package import Model

/// What the state machine holds besides the registry, and what happens at each limit.
///
/// Every server must run with the same values.
package struct StateMachineLimits: Sendable {
    /// Starts of servers whose requests are remembered; past that the one not heard of for longest
    /// goes.
    package var origins = 256
    /// Bytes of an archive on its way through the log; a longer one is refused.
    package var restoreBytes = 1 << 30
    /// How long after its beginning an unfinished archive is forgotten.
    package var restoreTime = Nanoseconds.seconds(10 * 60)

    package init() {}
}
