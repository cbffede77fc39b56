import ArgumentParser
import Glibc
import Wire
import WriteAheadLog

/// Looks into what a server keeps.
struct DebugCommand: CommandGroup {
    static let configuration = CommandConfiguration(
        commandName: "debug",
        abstract: "Looks into what a server keeps on its disk",
        subcommands: [DebugLogCommand.self]
    )
}

/// Shows a server's log, record by record, without changing anything.
///
/// The server may be running; then the end may look damaged, because it is being written.
struct DebugLogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Shows the log in a data directory, whether or not its server runs"
    )

    @Option(help: "How it is shown: pretty, or json, one object in each line.")
    var format = "pretty"

    @Argument(help: "The data directory of a server, or the directory of its log.")
    var path: [String] = []

    mutating func run() async throws {
        try OutputFormat.check(format)
        guard path.count == 1, !path[0].isEmpty else {
            throw CommandFailure.usage("Must specify one data directory", Self.self)
        }
        guard let directory = Self.directories(path[0]).first(where: Self.holdsLog) else {
            throw CommandFailure("Error reading log: no segments (*.wal) in \(path[0])")
        }
        let isJSON = format == "json"
        var hasDamage = false
        do throws(StorageFailure) {
            let reader = DumpReader(try PosixStorage(path: directory, exclusively: false))
            try reader.read { item in
                if case .damage = item { hasDamage = true }
                Console.output(isJSON ? DumpJSON.encode(item) : Array(item.line.utf8))
                return true
            }
        } catch {
            throw CommandFailure(
                "Error reading log: \(error.operation) \(error.file): \(error.reason)"
            )
        }
        if hasDamage { throw CommandFailure("", exitCode: 2) }
    }

    /// Where a log may lie, seen from what a person names.
    private static func directories(_ path: String) -> [String] {
        ["/raft/wal", "/raft/log", "/raft", "/wal", "/log", ""].map { path + $0 }
    }

    private static func holdsLog(_ directory: String) -> Bool {
        guard let handle = opendir(directory) else { return false }
        defer { closedir(handle) }
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".wal") { return true }
        }
        return false
    }
}
