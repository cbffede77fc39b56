import Model
import Wire

extension ClusterSettings {
    private static let limits = AgentLimits()

    /// Reads the options of servers and refuses what cannot work, in Consul's words.
    ///
    /// - Source: Consul: docs/agent/options.
    static func read(
        _ reader: ConfigurationReader,
        into configuration: inout AgentConfiguration
    ) throws(StartError) {
        var settings = ClusterSettings()
        try settings.readFormation(reader, &configuration)
        try settings.readJoining(reader, serverPort: configuration.ports.server)
        try settings.readPerformance(reader)
        try settings.readSnapshots(reader)
        try settings.readAutopilot(reader.group("autopilot"))
        configuration.cluster = settings
    }

    private mutating func readFormation(
        _ reader: ConfigurationReader,
        _ configuration: inout AgentConfiguration
    ) throws(StartError) {
        var expected = 0
        reader.number("bootstrap_expect", &expected)
        if expected == 1 {
            configuration.isBootstrap = true
            expected = 0
            configuration.warnings.append(
                "BootstrapExpect is set to 1; this is the same as Bootstrap mode."
            )
        }
        let isServer = configuration.isServer
        let isBootstrap = configuration.isBootstrap
        try Self.atLeastZero("bootstrap_expect", expected)
        guard isServer || !isBootstrap else {
            throw StartError("'bootstrap = true' requires 'server = true'")
        }
        guard isServer || expected == 0 else {
            throw StartError("'bootstrap_expect > 0' requires 'server = true'")
        }
        guard !configuration.isDevelopment || expected == 0 else {
            throw StartError("'bootstrap_expect > 0' not allowed in dev mode")
        }
        guard !isBootstrap || expected == 0 else {
            throw StartError(
                "'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive"
            )
        }
        guard expected <= Self.limits.servers else {
            throw StartError(
                "bootstrap_expect cannot be \(expected). "
                    + "Must be less than or equal to \(Self.limits.servers)"
            )
        }
        configuration.warnings += Self.warnings(expected: expected, isBootstrap: isBootstrap)
        if expected > 0 {
            formation = .expect(expected)
        } else if isBootstrap || configuration.isDevelopment {
            formation = .bootstrap
        }
    }

    /// - Source: Consul: what `consul validate` says.
    private static func warnings(expected: Int, isBootstrap: Bool) -> [String] {
        let table = "https://www.consul.io/docs/internals/consensus.html#deployment-table"
        var warnings: [String] = []
        if expected == 2 {
            warnings.append(
                "bootstrap_expect = 2: A cluster with 2 servers will provide no failure "
                    + "tolerance. See \(table)"
            )
        } else if expected > 2, expected.isMultiple(of: 2) {
            warnings.append(
                "bootstrap_expect is even number: A cluster with an even number of servers does "
                    + "not achieve optimum fault tolerance. See \(table)"
            )
        }
        if isBootstrap { warnings.append("bootstrap = true: do not enable unless necessary") }
        if expected > 0 {
            warnings.append("bootstrap_expect > 0: expecting \(expected) servers")
        }
        return warnings
    }

    private mutating func readJoining(
        _ reader: ConfigurationReader,
        serverPort: Int
    ) throws(StartError) {
        for text in reader.texts("retry_join") where !text.isEmpty {
            guard !text.contains("provider=") else {
                throw StartError(
                    "retry_join: cloud providers are not asked by this version: "
                        + GoQuote.quote(text)
                )
            }
            guard let address = ServerAddress(text, defaultPort: max(serverPort, 1)) else {
                throw StartError(
                    "retry_join: not an address (host, host:port or [IPv6]:port): "
                        + GoQuote.quote(text)
                )
            }
            if !retryJoin.contains(address) { retryJoin.append(address) }
            guard retryJoin.count <= Self.limits.joinAddresses else {
                throw StartError("retry_join: more than \(Self.limits.joinAddresses) addresses")
            }
        }
        try Self.positive("retry_interval", reader, &retryInterval)
        var limit = 0
        reader.number("retry_max", &limit)
        try Self.atLeastZero("retry_max", limit)
        retryLimit = limit == 0 ? nil : limit
    }

    private mutating func readPerformance(_ reader: ConfigurationReader) throws(StartError) {
        let performance = reader.group("performance")
        performance.number("raft_multiplier", &raftMultiplier)
        guard (1...10).contains(raftMultiplier) else {
            throw StartError(
                "performance.raft_multiplier cannot be \(raftMultiplier). Must be between 1 and 10"
            )
        }
        try Self.notNegative("rpc_hold_timeout", performance, &rpcHoldTimeout)
        try Self.notNegative("leave_drain_time", performance, &leaveDrainTime)
    }

    /// Zero is Consul's word for its own default.
    private mutating func readSnapshots(_ reader: ConfigurationReader) throws(StartError) {
        let defaults = self
        reader.number("raft_snapshot_threshold", &snapshotThreshold)
        try Self.atLeastZero("raft_snapshot_threshold", snapshotThreshold)
        if snapshotThreshold == 0 { snapshotThreshold = defaults.snapshotThreshold }
        reader.number("raft_trailing_logs", &trailingLogs)
        try Self.atLeastZero("raft_trailing_logs", trailingLogs)
        if trailingLogs == 0 { trailingLogs = defaults.trailingLogs }
        try Self.notNegative("raft_snapshot_interval", reader, &snapshotInterval)
        if snapshotInterval == .zero { snapshotInterval = defaults.snapshotInterval }
    }

    private mutating func readAutopilot(_ reader: ConfigurationReader) throws(StartError) {
        reader.flag("cleanup_dead_servers", &autopilot.cleanupDeadServers)
        try Self.notNegative("last_contact_threshold", reader, &autopilot.lastContactThreshold)
        try Self.notNegative(
            "server_stabilization_time",
            reader,
            &autopilot.serverStabilizationTime
        )
        var trailing = Int(autopilot.maxTrailingLogs)
        reader.number("max_trailing_logs", &trailing)
        try Self.atLeastZero("autopilot.max_trailing_logs", trailing)
        autopilot.maxTrailingLogs = UInt64(trailing)
        var quorum = 0
        reader.number("min_quorum", &quorum)
        try Self.atLeastZero("autopilot.min_quorum", quorum)
        autopilot.minQuorum = UInt64(quorum)
        reader.text("redundancy_zone_tag", &autopilot.redundancyZoneTag)
        reader.flag("disable_upgrade_migration", &autopilot.disableUpgradeMigration)
        reader.text("upgrade_version_tag", &autopilot.upgradeVersionTag)
    }

    // MARK: Bounds

    private static func atLeastZero(_ name: String, _ value: Int) throws(StartError) {
        guard value >= 0 else {
            throw StartError("\(name) cannot be \(value). Must be greater than or equal to zero")
        }
    }

    private static func notNegative(
        _ name: String,
        _ reader: ConfigurationReader,
        _ target: inout Nanoseconds
    ) throws(StartError) {
        try reader.duration(name, &target)
        guard target >= .zero else {
            throw StartError(
                "\(reader.full(name)) cannot be \(GoDuration.format(target)). "
                    + "Must be greater than or equal to zero"
            )
        }
    }

    private static func positive(
        _ name: String,
        _ reader: ConfigurationReader,
        _ target: inout Nanoseconds
    ) throws(StartError) {
        try notNegative(name, reader, &target)
        guard target > .zero else {
            throw StartError("\(reader.full(name)) cannot be 0s. Must be greater than zero")
        }
    }
}
