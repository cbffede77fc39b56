import ArgumentParser
import Filter
import MusterAPI

/// Fires a user event.
///
/// - Source: Consul: `consul event`.
struct EventCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "event",
        abstract: "Fires an event"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Option(help: "The event's name.")
    var name = ""

    @Option(help: "Regular expression that receiving nodes must match.")
    var node = ""

    @Option(help: "Regular expression that a service there must match.")
    var service = ""

    @Option(help: "Regular expression that a tag of that service must match.")
    var tag = ""

    @Argument(help: "What the event carries.")
    var payload: [String] = []

    mutating func run() async throws {
        guard !name.isEmpty else {
            throw CommandFailure.usage("Event name must be specified", Self.self)
        }
        try check(node, "node")
        try check(service, "service")
        if !tag.isEmpty {
            try check(tag, "tag")
            guard !service.isEmpty else {
                throw CommandFailure("Cannot provide tag filter without service filter.")
            }
        }
        guard payload.count <= 1 else {
            throw CommandFailure.usage("Too many command line arguments.", Self.self)
        }
        let command = self
        let event = try await connection.withAgent { agent in
            try await agent.call("Error firing event") { client in
                try await client.event.fire(
                    command.name,
                    payload: Array((command.payload.first ?? "").utf8),
                    node: command.node.isEmpty ? nil : command.node,
                    service: command.service.isEmpty ? nil : command.service,
                    tag: command.tag.isEmpty ? nil : command.tag,
                    options: command.server.write
                )
            }
        }
        Console.output("Event ID: \(event.id)")
    }

    private func check(_ pattern: String, _ what: String) throws {
        do {
            _ = try RegularExpression(pattern)
        } catch {
            throw CommandFailure("Failed to compile \(what) filter regexp: \(error)")
        }
    }
}
