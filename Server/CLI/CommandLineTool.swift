import ArgumentParser

/// The command line: a client of an agent, with Consul's commands, flags, texts and exit codes.
///
/// - Source: Consul: docs "Consul Commands (CLI)".
package enum CommandLineTool {
    /// Runs one command and gives the process's exit code.
    ///
    /// `arguments` are without the program's name; those behind `agent` go to `agent` as they
    /// are. Exit codes are Consul's: 0, 1 for a failure or a wrong flag, 2 where `members` finds
    /// nobody, 127 for an unknown command. `recover` is what `operator raft recover` does; without
    /// it that command only says so.
    package static func run(
        _ arguments: [String],
        recover: (@Sendable (RecoveryOrder) async throws -> String)? = nil,
        agent: @Sendable ([String]) async -> Int32
    ) async -> Int32 {
        if arguments.first == AgentPlaceholder.name {
            return await agent(Array(arguments.dropFirst()))
        }
        var names: [String: Set<String>] = [:]
        for command in MusterCommand.configuration.subcommands {
            collect(command, "", &names)
        }
        var arguments = ArgumentNormalizer.normalize(arguments, commands: names)
        if let first = arguments.first, ["--version", "--v"].contains(first) {
            arguments = [name(VersionCommand.self)]
        }
        guard let first = arguments.first, names[first] != nil || first == "--help" else {
            Console.error(MusterCommand.helpMessage(columns: 80))
            return 127
        }
        if !arguments.contains("--help") { arguments = groupAlone(arguments, names) }
        do {
            var command = try MusterCommand.parseAsRoot(arguments)
            if let command = command as? RecoverCommand {
                try await command.run(recover)
            } else if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return 0
        } catch let failure as CommandFailure {
            if !failure.message.isEmpty { Console.error(failure.message) }
            return failure.exitCode
        } catch {
            return report(error)
        }
    }

    /// What the parser itself has to say: help, or what is wrong with the arguments.
    private static func report(_ error: any Error) -> Int32 {
        let text = MusterCommand.fullMessage(for: error)
        if MusterCommand.exitCode(for: error).isSuccess {
            Console.output(text)
            return 0
        }
        Console.error(ArgumentNormalizer.goMessage(text))
        return 1
    }

    /// The names of the commands of every group, by the words that lead to the group.
    private static func collect(
        _ command: any ParsableCommand.Type,
        _ before: String,
        _ names: inout [String: Set<String>]
    ) {
        let path = before.isEmpty ? name(command) : before + " " + name(command)
        names[path] = Set(command.configuration.subcommands.map(name))
        for inner in command.configuration.subcommands { collect(inner, path, &names) }
    }

    /// Only the group's own words, when it is alone or with a command that it does not have.
    private static func groupAlone(
        _ arguments: [String],
        _ names: [String: Set<String>]
    ) -> [String] {
        var path: [String] = []
        for word in arguments {
            if let inner = names[path.joined(separator: " ")] {
                guard !inner.isEmpty else { return arguments }
                guard inner.contains(word) else { return path }
            }
            path.append(word)
        }
        return path
    }

    private static func name(_ command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? command._commandName
    }
}

/// The root of all commands.
struct MusterCommand: CommandGroup {
    static let configuration = CommandConfiguration(
        commandName: "muster",
        abstract: "A service registry, and the commands that talk to one",
        subcommands: [
            AgentPlaceholder.self, CatalogCommand.self, DebugCommand.self, EventCommand.self,
            ForceLeaveCommand.self, InfoCommand.self, JoinCommand.self, KeyValueCommand.self,
            LeaveCommand.self, MaintenanceCommand.self, MembersCommand.self,
            OperatorCommand.self, ReloadCommand.self, RoundTripCommand.self,
            ServicesCommand.self, SnapshotCommand.self, VersionCommand.self, WatchCommand.self,
        ]
    )
}

/// Stands for `agent` in the help; the executable runs it.
struct AgentPlaceholder: ParsableCommand {
    static let name = "agent"

    static let configuration = CommandConfiguration(
        commandName: name,
        abstract: "Runs an agent"
    )
}

/// Ends a command with a message for standard error.
struct CommandFailure: Error {
    var message: String
    var exitCode: Int32 = 1

    init(_ message: String, exitCode: Int32 = 1) {
        self.message = message
        self.exitCode = exitCode
    }

    /// Wrong use of a command: the reason, then its help.
    static func usage(_ message: String, _ command: any ParsableCommand.Type) -> CommandFailure {
        CommandFailure(message + "\n\n" + command.helpMessage(columns: 80))
    }
}

/// A command that only has subcommands; alone it prints its help and fails.
protocol CommandGroup: AsyncParsableCommand {}

extension CommandGroup {
    mutating func run() async throws {
        throw CommandFailure(Self.helpMessage(columns: 80))
    }
}
