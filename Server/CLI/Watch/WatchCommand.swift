import ArgumentParser
import MusterAPI
import Wire

/// Watches a part of the registry: prints it once, or runs a program at each change.
///
/// - Source: Consul: `consul watch`; docs "Watches".
struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Watches for changes in the registry"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Option(help: "key, keyprefix, services, nodes, service, checks or event.")
    var type = ""

    @Option(help: "The key to watch.")
    var key = ""

    @Option(help: "The prefix of the keys to watch.")
    var prefix = ""

    @Option(help: "The service to watch.")
    var service = ""

    @Option(help: "Only instances with this tag; may be repeated.")
    var tag: [String] = []

    @Option(help: "Whether only healthy instances count: true or false.")
    var passingonly = ""

    @Option(help: "The state of the checks to watch.")
    var state = ""

    @Option(help: "The name of the events to watch.")
    var name = ""

    @Flag(inversion: .prefixedNo, help: "Whether a shell runs the program.")
    var shell = true

    @Argument(parsing: .remaining, help: "The program and its arguments.")
    var child: [String] = []

    mutating func run() async throws {
        guard !type.isEmpty else {
            throw CommandFailure.usage("Watch type must be specified", Self.self)
        }
        let view = try WatchView(self)
        let handler = child.isEmpty ? nil : WatchHandler(arguments: child, usesShell: shell)
        let options = server.query
        try await connection.withAgent { agent in
            _ = try await agent.call("Error querying Consul agent") { client in
                try await client.agent.identity()
            }
            try await Self.watch(view, options, handler, agent)
        }
    }

    /// Asks until it is told to stop; a failure is told and tried again.
    private static func watch(
        _ view: WatchView,
        _ options: QueryOptions,
        _ handler: WatchHandler?,
        _ agent: Agent
    ) async throws {
        let answers = agent.client.watch(view.path, query: view.query, options: options) {
            try view.json(of: $0)
        }
        for await event in answers.events {
            switch event {
            case .changed(let answer):
                guard let handler else {
                    return Console.output(JSON.pretty(answer.value))
                }
                try handler.run(answer.value, index: answer.index)
            case .unchanged: continue
            case .failed(let error):
                let reason =
                    switch error {
                    case let error as MusterError: agent.text(of: error)
                    case let error as WireError: error.message
                    default: "\(error)"
                    }
                Console.error("Watch errored: type=\(view.type) error=\(reason)")
            }
        }
    }
}
