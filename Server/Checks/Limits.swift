package import Model

/// How one agent runs its checks, and what bounds them.
package struct CheckLimits: Sendable {
    /// The shortest interval; smaller ones are raised to it.
    ///
    /// - Source: Consul: docs/discovery/checks, 1 s.
    package var leastInterval = Nanoseconds.seconds(1)
    /// Probes under way at one time; more wait for a free place, in order.
    package var concurrentProbes = 512
    /// How exact the timer wheel is.
    package var wheelTick = Nanoseconds.milliseconds(100)
    /// Time-outs of checks that name none.
    ///
    /// - Source: Consul: docs/discovery/checks.
    package var probeTimeout = Nanoseconds.seconds(10)
    package var scriptTimeout = Nanoseconds.seconds(30)
    /// Redirects that an HTTP check follows; one more makes it critical.
    package var redirects = 10

    package init() {}
}
