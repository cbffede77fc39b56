import ArgumentParser
import MusterAPI

/// The catalog.
///
/// - Source: Consul: `consul catalog`.
struct CatalogCommand: CommandGroup {
    static let configuration = CommandConfiguration(
        commandName: "catalog",
        abstract: "Interacts with the catalog",
        subcommands: [
            CatalogDatacentersCommand.self, CatalogNodesCommand.self, CatalogServicesCommand.self,
        ]
    )
}

/// Refuses arguments where there may be none.
func refuse(_ arguments: [String]) throws {
    guard arguments.isEmpty else {
        throw CommandFailure("Too many arguments (expected 0, got \(arguments.count))")
    }
}

/// Lists the datacenters.
///
/// - Source: Consul: `consul catalog datacenters`.
struct CatalogDatacentersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "datacenters",
        abstract: "Lists all known datacenters"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Argument(help: .hidden)
    var arguments: [String] = []

    mutating func run() async throws {
        try refuse(arguments)
        let datacenters = try await connection.withAgent { agent in
            try await agent.call("Error listing datacenters") {
                try await $0.catalog.datacenters()
            }
        }
        for datacenter in datacenters { Console.output(datacenter) }
    }
}

/// Lists the nodes.
///
/// - Source: Consul: `consul catalog nodes`.
struct CatalogNodesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodes",
        abstract: "Lists all nodes in the given datacenter"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Flag(help: "Show tagged addresses and metadata.")
    var detailed = false

    @Option(help: "Sort by the distance from this node.")
    var near = ""

    @Option(help: "Only nodes with this metadata, as key=value.")
    var nodeMeta: [KeyValueArgument] = []

    @Option(help: "Only nodes with this service.")
    var service = ""

    @Option(help: "Only nodes that match this expression.")
    var filter = ""

    @Argument(help: .hidden)
    var arguments: [String] = []

    mutating func run() async throws {
        try refuse(arguments)
        var options = server.query
        options.near = near.isEmpty ? nil : near
        options.filter = filter.isEmpty ? nil : filter
        options.nodeMeta = nodeMeta.dictionary
        let (query, service) = (options, service)
        let nodes = try await connection.withAgent { agent in
            guard !service.isEmpty else {
                return try await agent.call("Error listing nodes") {
                    try await $0.catalog.nodes(options: query).value
                }
            }
            return try await agent.call("Error listing nodes for service") {
                try await $0.catalog.service(service, options: query).value.map(\.catalogNode)
            }
        }
        guard !nodes.isEmpty else {
            return Console.error("No nodes match the given query - try expanding your search.")
        }
        var rows = [["Node", "ID", "Address", "DC"]]
        if detailed { rows[0] += ["TaggedAddresses", "Meta"] }
        for node in nodes {
            var row = [node.node, node.id, node.address, node.datacenter]
            if detailed {
                row.append(node.taggedAddresses.pairs(separator: ", "))
                row.append(node.meta.pairs(separator: ", "))
            } else {
                row[1] = String(node.id.prefix { $0 != "-" })
            }
            rows.append(row)
        }
        Console.output(Columns.aligned(rows))
    }
}

extension CatalogService {
    /// The node of the instance.
    fileprivate var catalogNode: CatalogNode {
        CatalogNode(
            id: id,
            node: node,
            address: address,
            datacenter: datacenter,
            taggedAddresses: taggedAddresses,
            meta: nodeMeta
        )
    }
}

/// Lists the services.
///
/// - Source: Consul: `consul catalog services`.
struct CatalogServicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "services",
        abstract: "Lists all registered services in a datacenter"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Option(help: "Only services of this node.")
    var node = ""

    @Option(help: "Only services of nodes with this metadata, as key=value.")
    var nodeMeta: [KeyValueArgument] = []

    @Flag(help: "Show each service's tags.")
    var tags = false

    @Argument(help: .hidden)
    var arguments: [String] = []

    mutating func run() async throws {
        try refuse(arguments)
        var options = server.query
        options.nodeMeta = nodeMeta.dictionary
        let (query, node) = (options, node)
        let services = try await connection.withAgent { agent in
            guard !node.isEmpty else {
                return try await agent.call("Error listing services") {
                    try await $0.catalog.services(options: query).value
                }
            }
            return try await agent.call("Error listing services for node") { client in
                let found = try await client.catalog.node(node, options: query).value
                let pairs = (found?.services.values).map { Array($0) } ?? []
                return Dictionary(pairs.map { ($0.name, $0.tags) }, uniquingKeysWith: +)
            }
        }
        guard !services.isEmpty else {
            return Console.error("No services match the given query - try expanding your search.")
        }
        let names = services.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        guard tags else { return Console.output(names.joined(separator: "\n")) }
        let rows = names.map { ($0, (services[$0] ?? []).sorted().joined(separator: ",")) }
        Console.output(Columns.trimmed(Columns.tabbed(rows)))
    }
}

/// A `key=value` argument.
struct KeyValueArgument: ExpressibleByArgument {
    var key: String
    var value: String

    init?(argument: String) {
        guard let mark = argument.firstIndex(of: "=") else { return nil }
        key = String(argument[..<mark])
        value = String(argument[argument.index(after: mark)...])
    }
}

extension [KeyValueArgument] {
    /// The pairs; of two with one key the last counts.
    var dictionary: [String: String] {
        Dictionary(map { ($0.key, $0.value) }) { _, last in last }
    }
}
