import ArgumentParser
import MusterAPI
import Wire

/// Shows how the servers are, as a list of everything that is known of each.
///
/// - Source: Consul 1.9: `consul operator autopilot state`.
struct AutopilotStateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "state",
        abstract: "Displays the state of the servers"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Option(help: "How it is shown: pretty or json.")
    var format = "pretty"

    @Argument(help: .hidden)
    var ignored: [String] = []

    mutating func run() async throws {
        try OutputFormat.check(format)
        let options = server.query
        let (health, json) = try await connection.withAgent { agent in
            try await agent.call("Error retrieving autopilot state") { client in
                let path = "/v1/operator/autopilot/state"
                let json = try await client.query(path, options: options).value.body
                return (try await client.operations.autopilotHealth(), json)
            }
        }
        guard format == "pretty" else { return Console.output(JSON.pretty(json)) }
        Console.output(Self.text(health))
    }

    static func text(_ health: AutopilotHealth) -> String {
        let servers = health.servers.sorted { $0.id < $1.id }
        var lines = [
            "Healthy:                      \(health.healthy)",
            "Failure Tolerance:            \(health.failureTolerance)",
            "Optimistic Failure Tolerance: \(health.failureTolerance)",
            "Leader:                       \(servers.first(where: \.leader)?.id ?? "")",
            "Voters:",
        ]
        lines += servers.filter(\.voter).map { "   \($0.id)" }
        lines.append("Servers:")
        for server in servers {
            let status = server.leader ? "leader" : server.voter ? "voter" : "non-voter"
            lines += [
                "   \(server.id)",
                "      Name:            \(server.name)",
                "      Address:         \(server.address)",
                "      Version:         \(server.version)",
                "      Status:          \(status)",
                "      Node Type:       voter",
                "      Node Status:     \(server.serfStatus)",
                "      Healthy:         \(server.healthy)",
                "      Last Contact:    \(AutopilotGetCommand.goText(server.lastContact))",
                "      Last Term:       \(server.lastTerm)",
                "      Last Index:      \(server.lastIndex)",
            ]
        }
        return lines.joined(separator: "\n")
    }
}

/// Shows how the servers are, one line each; fails when one is not well.
struct AutopilotHealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Displays the health of the servers; the exit code is 2 when one is not well"
    )

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: .hidden)
    var ignored: [String] = []

    mutating func run() async throws {
        let health = try await connection.withAgent { agent in
            try await agent.call("Error retrieving autopilot health") {
                try await $0.operations.autopilotHealth()
            }
        }
        Console.output(Self.text(health))
        guard health.healthy else { throw CommandFailure("", exitCode: 2) }
    }

    static func text(_ health: AutopilotHealth) -> String {
        let header = [
            "Node", "ID", "Address", "State", "Voter", "Healthy", "LastContact", "LastTerm",
            "LastIndex", "StableSince",
        ]
        let rows = health.servers.map { server in
            [
                server.name, server.id, server.address, server.leader ? "leader" : "follower",
                String(server.voter), String(server.healthy),
                AutopilotGetCommand.goText(server.lastContact), String(server.lastTerm),
                String(server.lastIndex), server.stableSince,
            ]
        }
        return "Healthy: \(health.healthy)\nFailure tolerance: \(health.failureTolerance)\n\n"
            + Columns.aligned([header] + rows)
    }
}

/// The value of `-format`.
enum OutputFormat {
    static func check(_ format: String) throws {
        guard ["pretty", "json"].contains(format) else {
            throw CommandFailure(
                "Invalid format, valid formats are [json pretty]: \(GoQuote.quote(format))"
            )
        }
    }
}
