import ArgumentParser

/// What a recovery is to do; see `RecoverCommand`.
package struct RecoveryOrder: Hashable, Sendable {
    /// The data directory of the server that is to begin anew.
    package var dataDirectory: String

    package init(dataDirectory: String) {
        self.dataDirectory = dataDirectory
    }
}

/// Makes a server the only one of its log, when the majority of the others is lost for good.
///
/// It runs while the server does not: on the surviving server whose log is longest. What the lost
/// servers had and this one has not is lost.
struct RecoverCommand: ParsableCommand {
    /// Does the work, offline; gives what is to be told, or throws what a person can act on.
    typealias Action = @Sendable (RecoveryOrder) async throws -> String

    static let configuration = CommandConfiguration(
        commandName: "recover",
        abstract: "Makes a stopped server the only one of its log, after the others were lost",
        discussion: """
            Use this only when a majority of the servers is lost for good. Stop every server that \
            is left, choose the one whose log is longest (muster debug log shows the last index), \
            run this on its data directory, start it, and let the others join again with empty \
            data directories.
            """
    )

    @Option(help: "The data directory of the server.")
    var dataDir = ""

    @Flag(help: "Confirm that the other servers are lost or will begin anew.")
    var yes = false

    @Argument(help: .hidden)
    var ignored: [String] = []

    /// Runs the command with what the executable, which knows the log, does for it.
    func run(_ action: Action?) async throws {
        guard !dataDir.isEmpty else {
            throw CommandFailure.usage("Must specify the data directory: -data-dir", Self.self)
        }
        guard yes else {
            throw CommandFailure(
                "This makes the server in \(dataDir) the only one of its log: writes that only "
                    + "other servers have are lost, and those servers must begin anew.\n"
                    + "Give -yes to do it."
            )
        }
        guard let action else {
            throw CommandFailure("Error recovering: this program was built without the log")
        }
        do {
            Console.output(try await action(RecoveryOrder(dataDirectory: dataDir)))
        } catch {
            throw CommandFailure("Error recovering: \(error)")
        }
    }
}
