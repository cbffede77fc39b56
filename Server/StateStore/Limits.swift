package import Model

/// What a state store refuses or cuts short.
///
/// Every replica must run with the same values.
package struct StateStoreLimits: Sendable {
    /// A session's longer lock-delay counts as this.
    ///
    /// - Source: Consul: docs/internals/sessions "60 seconds".
    package var lockDelay = Nanoseconds.seconds(60)
    /// Pairs of a service's metadata; more are refused.
    ///
    /// - Source: Consul: api-docs/agent/service "Meta".
    package var metaPairs = 64
    /// Length in bytes of a metadata key; longer ones are refused.
    package var metaKeyBytes = 128
    /// Length in bytes of a metadata value; longer ones are refused.
    package var metaValueBytes = 512

    package init() {}
}
