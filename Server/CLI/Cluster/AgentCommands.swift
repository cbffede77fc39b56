import ArgumentParser
import MusterAPI

/// Shows what the agent counts about itself.
///
/// - Source: Consul: `consul info`.
struct InfoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Shows debugging information of the agent"
    )

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: .hidden)
    var ignored: [String] = []

    mutating func run() async throws {
        let identity = try await connection.withAgent { agent in
            try await agent.call("Error querying agent") { try await $0.agent.identity() }
        }
        for (subsystem, values) in identity.stats.sorted(by: { $0.key < $1.key }) {
            Console.output("\(subsystem):")
            for (key, value) in values.sorted(by: { $0.key < $1.key }) {
                Console.output("\t\(key) = \(value)")
            }
        }
    }
}

/// Makes the agent leave and stop.
///
/// - Source: Consul: `consul leave`.
struct LeaveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leave",
        abstract: "Makes the agent leave the cluster and stop"
    )

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: .hidden)
    var arguments: [String] = []

    mutating func run() async throws {
        guard arguments.isEmpty else {
            Console.output(Self.helpMessage(columns: 80))
            let list = arguments.joined(separator: " ")
            throw CommandFailure("Error found unexpected args: [\(list)]")
        }
        try await connection.withAgent { agent in
            try await agent.call("Error leaving") { try await $0.agent.leave() }
        }
        Console.output("Graceful leave complete")
    }
}

/// Makes the agent read its files again.
///
/// - Source: Consul: `consul reload`.
struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Makes the agent read its configuration files again"
    )

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: .hidden)
    var ignored: [String] = []

    mutating func run() async throws {
        try await connection.withAgent { agent in
            try await agent.call("Error reloading") { try await $0.agent.reload() }
        }
        Console.output("Configuration reload triggered")
    }
}

/// Declares a failed member as left.
///
/// - Source: Consul: `consul force-leave`.
struct ForceLeaveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "force-leave",
        abstract: "Forces a member of the cluster into the \"left\" state"
    )

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Remove the member from the list altogether.")
    var prune = false

    @Argument(help: "The member's node.")
    var nodes: [String] = []

    mutating func run() async throws {
        guard nodes.count == 1, let node = nodes.first else {
            throw CommandFailure.usage(
                "A single node name must be specified to force leave.",
                Self.self
            )
        }
        let prune = prune
        try await connection.withAgent { agent in
            try await agent.call("Error force leaving") {
                try await $0.agent.forceLeave(node, prune: prune)
            }
        }
    }
}

/// Makes the agent join others.
///
/// - Source: Consul: `consul join`.
struct JoinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "join",
        abstract: "Makes the agent join a cluster"
    )

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Join a server to another by the WAN pool.")
    var wan = false

    @Argument(help: "Addresses of members.")
    var addresses: [String] = []

    mutating func run() async throws {
        guard !addresses.isEmpty else {
            throw CommandFailure.usage(
                "At least one address to join must be specified.",
                Self.self
            )
        }
        let (addresses, wan) = (addresses, wan)
        let joined = try await connection.withAgent { agent in
            var joined = 0
            for address in addresses {
                let path = "/v1/agent/join/" + RegistryRequest.encode(address)
                let query = wan ? [(name: "wan", value: Optional("1"))] : []
                do {
                    try await agent.write(
                        RegistryRequest("PUT", path, query: query),
                        "Error joining address '\(address)'"
                    )
                    joined += 1
                } catch let failure as CommandFailure {
                    Console.error(failure.message)
                }
            }
            return joined
        }
        guard joined > 0 else { throw CommandFailure("Failed to join any nodes.") }
        Console.output("Successfully joined cluster by contacting \(joined) nodes.")
    }
}

/// Prints the version.
///
/// - Source: Consul: `consul version`.
struct VersionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Prints the version"
    )

    @Argument(help: .hidden)
    var ignored: [String] = []

    mutating func run() async throws {
        Console.output("Muster v0.1.0 (compatible with Consul v1.8.7)")
        Console.output(
            "Protocol 2 spoken by default, understands 2 to 3 (agent will automatically use "
                + "protocol >2 when speaking to compatible agents)\n"
        )
    }
}
