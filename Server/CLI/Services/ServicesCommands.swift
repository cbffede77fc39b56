import ArgumentParser
import Model
import MusterAPI
import Wire

/// The services of the agent.
///
/// - Source: Consul: `consul services`.
struct ServicesCommand: CommandGroup {
    static let configuration = CommandConfiguration(
        commandName: "services",
        abstract: "Interacts with the agent's services",
        subcommands: [ServicesDeregisterCommand.self, ServicesRegisterCommand.self]
    )
}

/// Registers services with the agent.
///
/// - Source: Consul: `consul services register`.
struct ServicesRegisterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "register",
        abstract: "Registers services with the local agent"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Option(help: "The service's kind.")
    var kind = ""

    @Option(help: "The instance's id; the name by default.")
    var id = ""

    @Option(help: "The service's name.")
    var name = ""

    @Option(help: "The instance's address; the node's by default.")
    var address = ""

    @Option(help: "The instance's port.")
    var port = 0

    @Option(help: "A tag; may be repeated.")
    var tag: [String] = []

    @Option(help: "Metadata, as key=value; may be repeated.")
    var meta: [KeyValueArgument] = []

    @Option(help: "A tagged address, as tag=address:port; may be repeated.")
    var taggedAddress: [KeyValueArgument] = []

    @Argument(help: "Files with service definitions.")
    var files: [String] = []

    mutating func run() async throws {
        guard !name.isEmpty || !files.isEmpty else {
            throw CommandFailure("Service registration requires at least one argument or flags.")
        }
        if !files.isEmpty, !id.isEmpty || !name.isEmpty {
            throw CommandFailure("Service registration requires arguments or -id, not both.")
        }
        let services = try files.isEmpty ? [fromFlags()] : ServiceFile.services(files)
        try await connection.withAgent { agent in
            for service in services {
                var request = RegistryRequest("PUT", "/v1/agent/service/register")
                request.body = JSON.encode(service)
                let name = GoQuote.quote(service.name)
                try await agent.write(request, "Error registering service \(name)")
                Console.output("Registered service: \(service.name)")
            }
        }
    }

    private func fromFlags() throws -> Model.ServiceRegistration {
        var service = Model.ServiceRegistration()
        service.kind = ServiceKind(rawValue: kind)
        service.id = id
        service.name = name
        service.address = address
        service.port = port
        service.tags = tag.isEmpty ? nil : tag
        service.meta = meta.isEmpty ? nil : meta.dictionary
        for pair in taggedAddress {
            service.taggedAddresses = service.taggedAddresses ?? [:]
            service.taggedAddresses?[pair.key] = try Self.address(pair.value)
        }
        return service
    }

    /// An address with its port, an IPv6 address in brackets.
    private static func address(_ text: String) throws -> Model.ServiceAddress {
        let start = "Invalid Tagged Address: "
        var address = Model.ServiceAddress()
        guard let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") else {
            throw CommandFailure("\(start)address \(text): missing port in address")
        }
        guard text.hasPrefix("[") || text.firstIndex(of: ":") == colon else {
            throw CommandFailure("\(start)address \(text): too many colons in address")
        }
        let digits = String(text[text.index(after: colon)...])
        guard let port = Int(digits) else {
            let quoted = GoQuote.quote(digits)
            throw CommandFailure("\(start)strconv.Atoi: parsing \(quoted): invalid syntax")
        }
        address.address = String(text[..<colon].drop { $0 == "[" }.prefix { $0 != "]" })
        address.port = port
        return address
    }
}

/// Removes services from the agent.
///
/// - Source: Consul: `consul services deregister`.
struct ServicesDeregisterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deregister",
        abstract: "Deregisters services with the local agent"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Option(help: "The instance's id.")
    var id = ""

    @Argument(help: "Files with service definitions.")
    var files: [String] = []

    mutating func run() async throws {
        if files.isEmpty, id.isEmpty {
            throw CommandFailure("Service deregistration requires at least one argument or -id.")
        }
        if !files.isEmpty, !id.isEmpty {
            throw CommandFailure("Service deregistration requires arguments or -id, not both.")
        }
        let ids =
            try files.isEmpty
            ? [id] : ServiceFile.services(files).map { $0.id.isEmpty ? $0.name : $0.id }
        try await connection.withAgent { agent in
            for id in ids {
                let path = "/v1/agent/service/deregister/" + RegistryRequest.encode(id)
                let prefix = "Error registering service \(GoQuote.quote(id))"
                try await agent.write(RegistryRequest("PUT", path), prefix)
                Console.output("Deregistered service: \(id)")
            }
        }
    }
}

extension Agent {
    /// Sends a write that has no typed function, and refuses any status but success.
    func write(_ request: RegistryRequest, _ prefix: String) async throws {
        let reply = try await call(prefix) { try await $0.send(request) }
        guard reply.isSuccess else {
            let body = String(decoding: reply.body, as: UTF8.self)
            throw CommandFailure("\(prefix): Unexpected response code: \(reply.status) (\(body))")
        }
    }
}
