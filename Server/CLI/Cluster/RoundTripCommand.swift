import ArgumentParser
import MusterAPI

/// Estimates the round-trip time between two nodes from their coordinates.
///
/// - Source: Consul: `consul rtt`; docs/internals/coordinates.
struct RoundTripCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rtt",
        abstract: "Estimates the round-trip time between nodes"
    )

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Use the coordinates of the WAN pool; names end in a datacenter.")
    var wan = false

    @Argument(help: "One or two nodes; the second is the agent's own by default.")
    var nodes: [String] = []

    mutating func run() async throws {
        guard nodes.count == 1 || nodes.count == 2 else {
            throw CommandFailure.usage("One or two node names must be specified", Self.self)
        }
        let (nodes, wan) = (nodes, wan)
        let (names, first, second) = try await connection.withAgent { agent in
            let names = try await Self.names(nodes, wan, agent)
            let known = try await Self.coordinates(wan, agent)
            func find(_ name: String) throws -> Coordinate {
                guard let coordinate = known[name] else {
                    throw CommandFailure("Could not find a coordinate for node \"\(name)\"")
                }
                return coordinate
            }
            return (names, try find(names[0]), try find(names[1]))
        }
        let milliseconds = Self.seconds(first, second) * 1_000
        let source = wan ? "WAN" : "LAN"
        let text = Self.thousandths(milliseconds)
        Console.output(
            "Estimated \(names[0]) <-> \(names[1]) rtt: \(text) ms (using \(source) coordinates)"
        )
    }

    /// Both names; the agent's own where only one is given.
    private static func names(
        _ given: [String],
        _ wan: Bool,
        _ agent: Agent
    ) async throws -> [String] {
        if wan {
            for name in given where !name.dropFirst().contains(".") {
                throw CommandFailure(
                    "Node names must be specified as <node name>.<datacenter> with -wan"
                )
            }
        }
        guard given.count == 1 else { return given }
        let identity = try await agent.call("Unable to look up local node name") {
            try await $0.agent.identity()
        }
        let name = identity.config?.nodeName ?? ""
        return given + [wan ? "\(name).\(identity.config?.datacenter ?? "")" : name]
    }

    /// The coordinates by name, qualified by the datacenter in the WAN pool.
    private static func coordinates(
        _ wan: Bool,
        _ agent: Agent
    ) async throws -> [String: Coordinate] {
        try await agent.call("Error getting coordinates") { client in
            var known: [String: Coordinate] = [:]
            if wan {
                for datacenter in try await client.coordinate.datacenters() {
                    for entry in datacenter.coordinates {
                        known["\(entry.node).\(datacenter.datacenter)"] = entry.coordinate
                    }
                }
            } else {
                for entry in try await client.coordinate.nodes().value {
                    known[entry.node] = entry.coordinate
                }
            }
            return known
        }
    }

    /// The distance of two coordinates.
    private static func seconds(_ left: Coordinate, _ right: Coordinate) -> Double {
        var sum = 0.0
        for (a, b) in zip(left.vector, right.vector) { sum += (a - b) * (a - b) }
        let raw = sum.squareRoot() + left.height + right.height
        let adjusted = raw + left.adjustment + right.adjustment
        return adjusted > 0 ? adjusted : raw
    }

    /// The number with three decimals.
    private static func thousandths(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e12 else { return "0.000" }
        let scaled = Int((value * 1_000).rounded(.toNearestOrEven))
        let decimals = String(1_000 + scaled % 1_000).dropFirst()
        return "\(scaled / 1_000).\(decimals)"
    }
}
