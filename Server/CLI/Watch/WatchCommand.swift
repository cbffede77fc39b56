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

    /// Asks until it is told to stop; a failure is tried again, later each time.
    private static func watch(
        _ view: WatchView,
        _ options: QueryOptions,
        _ handler: WatchHandler?,
        _ agent: Agent
    ) async throws {
        var position = WatchPosition()
        var failures = 0
        while true {
            do {
                let answer = try await ask(view, options, position, agent)
                failures = 0
                guard position.advance(to: answer.index, answer.json) else { continue }
                guard let handler else {
                    return Console.output(JSON.pretty(answer.json))
                }
                try handler.run(answer.json, index: position.index)
            } catch let error as WatchFailure {
                failures += 1
                Console.error("Watch errored: type=\(view.type) error=\(error.reason)")
                let seconds = min(5 * failures * failures, 180)
                try await Task.sleep(for: .seconds(seconds))
            }
        }
    }

    private static func ask(
        _ view: WatchView,
        _ options: QueryOptions,
        _ position: WatchPosition,
        _ agent: Agent
    ) async throws -> (index: UInt64, json: [UInt8]) {
        var options = options
        options.index = position.index
        do {
            let response = try await agent.client.query(
                view.path,
                query: view.query,
                options: options
            )
            return (response.index, try view.json(of: response.value))
        } catch let error as MusterError {
            throw WatchFailure(reason: agent.text(of: error))
        } catch let error as WireError {
            throw WatchFailure(reason: error.message)
        }
    }
}

/// Why a query of a watch failed.
struct WatchFailure: Error {
    var reason: String
}

/// What a watch has seen.
struct WatchPosition {
    /// What the next query waits behind; 0 does not wait.
    private(set) var index: UInt64 = 0
    private var seen: [UInt8]?

    /// Takes an answer; false when nothing has changed since the one before.
    ///
    /// An index that goes backwards means that the registry started anew: the watch does, too.
    mutating func advance(to next: UInt64, _ answer: [UInt8]) -> Bool {
        if seen != nil, next == index { return false }
        index = next < index ? 0 : next
        defer { seen = answer }
        return seen != answer
    }
}
