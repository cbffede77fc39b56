import ArgumentParser
import MusterAPI
import Snapshots

/// Saves, restores and looks into snapshots of the registry.
///
/// - Source: Consul: `consul snapshot`.
struct SnapshotCommand: CommandGroup {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "Saves, restores and inspects snapshots of server state",
        subcommands: [
            SnapshotDecodeCommand.self, SnapshotInspectCommand.self, SnapshotRestoreCommand.self,
            SnapshotSaveCommand.self,
        ]
    )
}

/// The one file that these commands are about.
enum SnapshotArguments {
    static func file(_ arguments: [String]) throws -> String {
        switch arguments.count {
        case 0: throw CommandFailure("Missing FILE argument")
        case 1: return arguments[0]
        default:
            throw CommandFailure("Too many arguments (expected 1, got \(arguments.count))")
        }
    }
}

/// Saves the registry to a file, which is verified before it gets its name.
///
/// - Source: Consul: `consul snapshot save`.
struct SnapshotSaveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "save",
        abstract: "Saves snapshot of Consul server state"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Argument(help: "The file to write.")
    var arguments: [String] = []

    mutating func run() async throws {
        let file = try SnapshotArguments.file(arguments)
        let options = server.query
        let index = try await connection.withAgent { agent in
            let target = try UnverifiedFile(for: file)
            do {
                try await agent.call("Error saving snapshot") { client in
                    _ = try await client.snapshot.save(options: options) { try target.write($0) }
                }
                let index = try target.verify()
                try target.keep()
                return index
            } catch {
                target.remove()
                throw error
            }
        }
        Console.output("Saved and verified snapshot to index \(index)")
    }
}

/// Replaces the registry by what a file holds.
///
/// - Source: Consul: `consul snapshot restore`.
struct SnapshotRestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Restores snapshot of Consul server state"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Argument(help: "The file to read.")
    var arguments: [String] = []

    mutating func run() async throws {
        let path = try SnapshotArguments.file(arguments)
        let options = server.write
        try await connection.withAgent { agent in
            let file = try InputFile(path)
            try await agent.call("Error restoring snapshot") { client in
                try await client.snapshot.restore(
                    file.pieces,
                    length: file.sizeBytes,
                    options: options
                )
            }
        }
        Console.output("Restored snapshot")
    }
}

/// Verifies a file and says what it is.
///
/// - Source: Consul: `consul snapshot inspect`.
struct SnapshotInspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Displays information about a Consul snapshot file"
    )

    @Argument(help: "The file to read.")
    var arguments: [String] = []

    mutating func run() async throws {
        let file = try InputFile(try SnapshotArguments.file(arguments))
        let metadata: SnapshotMetadata
        do throws(SnapshotError) {
            metadata = try SnapshotInspection.verify(next: file.read)
        } catch {
            throw CommandFailure("Error verifying snapshot: \(error.message)")
        }
        let width = 13
        let lines = metadata.summary.map { name, value in
            name + String(repeating: " ", count: width - name.count) + value
        }
        Console.output(lines.joined(separator: "\n") + "\n")
    }
}

/// Prints the records of a file, one JSON object a line.
///
/// - Source: Consul 1.15: `consul snapshot decode`.
struct SnapshotDecodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode",
        abstract: "Decodes the raft snapshot"
    )

    @Argument(help: "The file to read.")
    var arguments: [String] = []

    mutating func run() async throws {
        let file = try InputFile(try SnapshotArguments.file(arguments))
        do throws(SnapshotError) {
            // First all of it is verified: what is printed is known to be whole.
            _ = try SnapshotInspection.verify(next: file.read)
            file.rewind()
            try SnapshotInspection.decode(from: file.read) { line in
                Console.output(line)
            }
        } catch {
            throw CommandFailure("Error reading snapshot: \(error.message)")
        }
    }
}
