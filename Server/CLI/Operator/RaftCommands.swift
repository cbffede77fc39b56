import ArgumentParser
import MusterAPI

/// Lists the servers of the log.
///
/// - Source: Consul: `consul operator raft list-peers`.
struct ListPeersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list-peers",
        abstract: "Displays the servers of the log"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Argument(help: .hidden)
    var ignored: [String] = []

    mutating func run() async throws {
        let options = server.query
        let prefix = "Error getting peers: Failed to retrieve raft configuration"
        let configuration = try await connection.withAgent { agent in
            try await agent.call(prefix) {
                try await $0.operations.raftConfiguration(options: options)
            }
        }
        Console.output(Self.table(configuration.servers))
    }

    static func table(_ servers: [RaftServer]) -> String {
        let header = ["Node", "ID", "Address", "State", "Voter", "RaftProtocol"]
        return Columns.aligned(
            [header]
                + servers.map { server in
                    [
                        server.node, server.id, server.address,
                        server.leader ? "leader" : "follower", String(server.voter),
                        server.protocolVersion,
                    ]
                }
        )
    }
}

/// Takes a server out of the log.
///
/// - Source: Consul: `consul operator raft remove-peer`.
struct RemovePeerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove-peer",
        abstract: "Removes a server from the log"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Option(help: "The address of the server to remove.")
    var address = ""

    @Option(help: "The id of the server to remove.")
    var id = ""

    @Argument(help: .hidden)
    var ignored: [String] = []

    mutating func run() async throws {
        if address.isEmpty, id.isEmpty {
            throw CommandFailure(
                "Error removing peer: an address or id is required for the peer to remove"
            )
        }
        if !address.isEmpty, !id.isEmpty {
            throw CommandFailure("Error removing peer: cannot give both an address and id")
        }
        let (address, id, options) = (address, id, server.write)
        try await connection.withAgent { agent in
            try await agent.call("Error removing peer") { client in
                if id.isEmpty {
                    try await client.operations.removeServer(address: address, options: options)
                } else {
                    try await client.operations.removeServer(id: id, options: options)
                }
            }
        }
        Console.output(
            id.isEmpty
                ? "Removed peer with address \"\(address)\"" : "Removed peer with id \"\(id)\""
        )
    }
}

/// Hands leadership to another server.
///
/// - Source: Consul 1.15: `consul operator raft transfer-leader`.
struct TransferLeaderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transfer-leader",
        abstract: "Hands leadership to another server"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Option(help: "The id of the server that is to lead; the most up to date without it.")
    var id = ""

    @Argument(help: .hidden)
    var ignored: [String] = []

    mutating func run() async throws {
        let (id, options) = (id, server.write)
        try await connection.withAgent { agent in
            try await agent.call("Error transferring leadership") {
                try await $0.operations.transferLeadership(
                    to: id.isEmpty ? nil : id,
                    options: options
                )
            }
        }
        Console.output("Success")
    }
}
