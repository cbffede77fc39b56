import ArgumentParser
import MusterAPI

/// Shows or changes what is in maintenance.
///
/// - Source: Consul: `consul maint`.
struct MaintenanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "maint",
        abstract: "Controls the maintenance mode of the node or a service"
    )

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Enable maintenance mode.")
    var enable = false

    @Flag(help: "Disable maintenance mode.")
    var disable = false

    @Option(help: "Why; shown to whoever looks at the checks.")
    var reason = ""

    @Option(help: "The service's id; the whole node without it.")
    var service = ""

    @Argument(help: .hidden)
    var ignored: [String] = []

    mutating func run() async throws {
        if enable, disable {
            throw CommandFailure("Only one of -enable or -disable may be provided")
        }
        if !enable, !disable {
            if !reason.isEmpty {
                throw CommandFailure("Reason may only be provided with -enable")
            }
            if !service.isEmpty {
                throw CommandFailure("Service requires either -enable or -disable")
            }
            return try await list()
        }
        let (enable, service, reason) = (enable, service, reason)
        let verb = enable ? "enabling" : "disabling"
        try await connection.withAgent { agent in
            let what = service.isEmpty ? "node" : "service"
            try await agent.call("Error \(verb) \(what) maintenance") { client in
                if service.isEmpty {
                    try await client.agent.setMaintenance(enable, reason: reason)
                } else {
                    try await client.agent.setMaintenance(
                        enable,
                        serviceID: service,
                        reason: reason
                    )
                }
            }
        }
        let state = enable ? "enabled" : "disabled"
        Console.output(
            service.isEmpty
                ? "Node maintenance is now \(state)"
                : "Service maintenance is now \(state) for \"\(service)\""
        )
    }

    private func list() async throws {
        let (name, checks) = try await connection.withAgent { agent in
            let identity = try await agent.call("Error querying Consul agent") {
                try await $0.agent.identity()
            }
            let checks = try await agent.call("Error getting checks") {
                try await $0.agent.checks()
            }
            return (identity.config?.nodeName ?? "", checks)
        }
        for check in checks.values.sorted(by: { $0.checkID < $1.checkID }) {
            let prefix = "_service_maintenance:"
            if check.checkID == "_node_maintenance" {
                Console.output("Node:\n  Name:   \(name)\n  Reason: \(check.notes)\n")
            } else if check.checkID.hasPrefix(prefix) {
                let id = check.checkID.dropFirst(prefix.count)
                Console.output("Service:\n  ID:     \(id)\n  Reason: \(check.notes)\n")
            }
        }
    }
}
