package import Model

/// What one agent accepts and how it paces itself.
package struct LocalLimits: Sendable {
    /// Services on one agent; one more registration is refused.
    package var services = 100_000
    /// Checks on one agent; one more registration is refused.
    package var checks = 200_000
    /// Bytes kept of a check's output; the rest is cut with a remark, as Consul does.
    package var outputBytes = 4096
    /// Bytes that a probe may put around the output (method, URL, status).
    package var outputFrameBytes = 4096
    /// Metadata pairs of one service, and the sizes of each.
    ///
    /// - Source: Consul: 64 pairs, keys of 128 and values of 512 bytes.
    package var metadataPairs = 64
    package var metadataKeyBytes = 128
    package var metadataValueBytes = 512
    /// Changes proposed at one time; the rest waits for the answers.
    package var syncStepsInFlight = 1024

    package init() {}
}

/// How an agent treats what is registered with it; the names follow Consul's options.
package struct LocalConfiguration: Sendable {
    /// The agent's own node record; every registration in the catalog carries it.
    package var node = Node()
    /// Whether checks from configuration files may run programs (`enable_local_script_checks`).
    package var allowsLocalScripts = false
    /// Whether checks registered over HTTP may run programs (`enable_script_checks`).
    package var allowsRemoteScripts = false
    /// Replaces every output by nothing (`discard_check_output`).
    package var discardsOutput = false
    /// How long a change of output alone may wait (`check_update_interval`); zero sends at once.
    package var outputUpdateInterval = Nanoseconds.seconds(300)
    /// The least `DeregisterCriticalServiceAfter`; smaller values are raised to it.
    package var leastDeregisterDelay = Nanoseconds.seconds(60)
    /// Ports given to sidecars that name none; disabled when the lower bound is below 1.
    package var sidecarPorts = PortRange(lowest: 21000, highest: 21255)
    /// Ports given to listeners that expose checks through a proxy.
    package var exposedPorts = PortRange(lowest: 21500, highest: 21755)
    package var limits = LocalLimits()

    package init() {}
}

/// An inclusive range of ports; empty when `lowest` is below 1 or above `highest`.
package struct PortRange: Hashable, Sendable {
    package var lowest: Int
    package var highest: Int

    package init(lowest: Int, highest: Int) {
        self.lowest = lowest
        self.highest = highest
    }

    var isDisabled: Bool { lowest < 1 || highest < 1 }

    func contains(_ port: Int) -> Bool {
        port >= lowest && port <= highest
    }
}
