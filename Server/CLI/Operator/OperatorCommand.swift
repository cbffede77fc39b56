import ArgumentParser

/// What operators look at and change.
///
/// - Source: Consul: `consul operator`.
struct OperatorCommand: CommandGroup {
    static let configuration = CommandConfiguration(
        commandName: "operator",
        abstract: "Provides cluster-level tools for operators",
        subcommands: [AutopilotCommand.self, RaftCommand.self]
    )
}

/// The servers of the log.
///
/// - Source: Consul: `consul operator raft`.
struct RaftCommand: CommandGroup {
    static let configuration = CommandConfiguration(
        commandName: "raft",
        abstract: "Provides tools for the servers that keep the log",
        subcommands: [
            ListPeersCommand.self, RecoverCommand.self, RemovePeerCommand.self,
            TransferLeaderCommand.self,
        ]
    )
}

/// How the cluster looks after its servers.
///
/// - Source: Consul: `consul operator autopilot`.
struct AutopilotCommand: CommandGroup {
    static let configuration = CommandConfiguration(
        commandName: "autopilot",
        abstract: "Provides tools for how the cluster looks after its servers",
        subcommands: [
            AutopilotGetCommand.self, AutopilotHealthCommand.self, AutopilotSetCommand.self,
            AutopilotStateCommand.self,
        ]
    )
}
