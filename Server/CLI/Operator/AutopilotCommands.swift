import ArgumentParser
import Model
import MusterAPI
import Wire

/// Shows how the cluster looks after its servers.
///
/// - Source: Consul: `consul operator autopilot get-config`.
struct AutopilotGetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get-config",
        abstract: "Displays the settings of autopilot"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Argument(help: .hidden)
    var ignored: [String] = []

    mutating func run() async throws {
        let options = server.query
        let found = try await connection.withAgent { agent in
            try await agent.call("Error querying Autopilot configuration") {
                try await $0.operations.autopilotConfiguration(options: options)
            }
        }
        Console.output(Self.text(found))
    }

    static func text(_ found: MusterAPI.AutopilotConfiguration) -> String {
        [
            "CleanupDeadServers = \(found.cleanupDeadServers)",
            "LastContactThreshold = \(goText(found.lastContactThreshold))",
            "MaxTrailingLogs = \(found.maxTrailingLogs)",
            "MinQuorum = \(found.minQuorum)",
            "ServerStabilizationTime = \(goText(found.serverStabilizationTime))",
            "RedundancyZoneTag = \(GoQuote.quote(found.redundancyZoneTag))",
            "DisableUpgradeMigration = \(found.disableUpgradeMigration)",
            "UpgradeVersionTag = \(GoQuote.quote(found.upgradeVersionTag))",
        ].joined(separator: "\n")
    }

    /// A length as Go writes it.
    static func goText(_ duration: Duration?) -> String {
        let parts = (duration ?? .zero).components
        let (seconds, overflow) = parts.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let rest = parts.attoseconds / 1_000_000_000
        return GoDuration.format(Nanoseconds(rawValue: overflow ? .max : seconds &+ rest))
    }
}

/// Changes how the cluster looks after its servers; what is not given stays.
///
/// - Source: Consul: `consul operator autopilot set-config`.
struct AutopilotSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set-config",
        abstract: "Modifies the settings of autopilot"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Option(help: "Whether dead servers are removed: true or false.")
    var cleanupDeadServers: String?

    @Option(help: "After what silence a server is unhealthy, as 200ms.")
    var lastContactThreshold: String?

    @Option(help: "How many entries behind a server is unhealthy.")
    var maxTrailingLogs: String?

    @Option(help: "How many servers are kept at least.")
    var minQuorum: String?

    @Option(help: "How long a server must be healthy before it votes, as 10s.")
    var serverStabilizationTime: String?

    @Option(help: "Only in Consul Enterprise.")
    var redundancyZoneTag: String?

    @Option(help: "Only in Consul Enterprise: true or false.")
    var disableUpgradeMigration: String?

    @Option(help: "Only in Consul Enterprise.")
    var upgradeVersionTag: String?

    @Argument(help: .hidden)
    var ignored: [String] = []

    mutating func run() async throws {
        var changed = MusterAPI.AutopilotConfiguration()
        try change(&changed)  // What cannot be read is said before anyone is asked.
        let (command, query, write) = (self, server.query, server.write)
        let isWritten = try await connection.withAgent { agent in
            var settings = try await agent.call("Error querying Autopilot configuration") {
                try await $0.operations.autopilotConfiguration(options: query)
            }
            try command.change(&settings)
            let new = settings
            return try await agent.call("Error setting Autopilot configuration") {
                try await $0.operations.setAutopilotConfiguration(
                    new,
                    cas: new.modifyIndex,
                    options: write
                )
            }
        }
        guard isWritten else {
            throw CommandFailure(
                "Configuration could not be atomically updated, please try again"
            )
        }
        Console.output("Configuration updated!")
    }

    func change(_ settings: inout MusterAPI.AutopilotConfiguration) throws {
        if let text = cleanupDeadServers {
            settings.cleanupDeadServers = try flag("cleanup-dead-servers", text)
        }
        if let text = lastContactThreshold {
            settings.lastContactThreshold = try duration("last-contact-threshold", text)
        }
        if let text = maxTrailingLogs {
            settings.maxTrailingLogs = try UInt64(number("max-trailing-logs", text))
        }
        if let text = minQuorum { settings.minQuorum = try number("min-quorum", text) }
        if let text = serverStabilizationTime {
            settings.serverStabilizationTime = try duration("server-stabilization-time", text)
        }
        if let text = disableUpgradeMigration {
            settings.disableUpgradeMigration = try flag("disable-upgrade-migration", text)
        }
        settings.redundancyZoneTag = redundancyZoneTag ?? settings.redundancyZoneTag
        settings.upgradeVersionTag = upgradeVersionTag ?? settings.upgradeVersionTag
    }

    private func flag(_ name: String, _ text: String) throws -> Bool {
        switch text {
        case "1", "t", "T", "TRUE", "true", "True": true
        case "0", "f", "F", "FALSE", "false", "False": false
        default:
            throw CommandFailure(
                "invalid boolean value \(GoQuote.quote(text)) for -\(name): "
                    + "strconv.ParseBool: parsing \(GoQuote.quote(text)): invalid syntax"
            )
        }
    }

    private func number(_ name: String, _ text: String) throws -> Int {
        guard text.utf8.first != UInt8(ascii: "+"), let number = Int(text), number >= 0 else {
            throw wrong(
                name,
                text,
                "strconv.ParseUint: parsing \(GoQuote.quote(text)): invalid syntax"
            )
        }
        return number
    }

    private func duration(_ name: String, _ text: String) throws -> Duration {
        guard let found = GoDuration.parse(text) else {
            throw wrong(name, text, "time: invalid duration \(GoQuote.quote(text))")
        }
        return found.duration
    }

    private func wrong(_ name: String, _ text: String, _ reason: String) -> CommandFailure {
        CommandFailure("invalid value \(GoQuote.quote(text)) for flag -\(name): \(reason)")
    }
}
