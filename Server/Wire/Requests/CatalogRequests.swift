package import Model

/// The body of `PUT /v1/catalog/register`, and command 0 of the log.
///
/// - Source: Consul: PUT /v1/catalog/register; RPC sheet §7 "Catalog.Register".
package struct RegisterRequest: WireRecord, Hashable {
    package var datacenter = ""
    /// The node's own fields; its datacenter is the request's.
    package var node = Node()
    package var service: CatalogService?
    package var check: HealthCheck?
    package var checks: [HealthCheck]?
    package var skipNodeUpdate = false
    package var token = ""

    package init() {}

    package static var goType: String { "structs.RegisterRequest" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Datacenter", &datacenter)
        try visitor.field("ID", &node.id, goType: "types.NodeID")
        try visitor.field("Node", &node.name)
        try visitor.field("Address", &node.address)
        try visitor.field("TaggedAddresses", &node.taggedAddresses)
        try visitor.field("NodeMeta", &node.meta)
        try visitor.field("Service", &service)
        try visitor.field("Check", &check)
        try visitor.field("Checks", &checks, goType: "structs.HealthChecks")
        try visitor.field("SkipNodeUpdate", &skipNodeUpdate)
        try visitor.field("Token", &token)
        try visitor.indexes(&node.indexes)
    }

    package init(_ command: RegisterCommand) {
        datacenter = command.datacenter
        node = command.node
        service = command.service
        checks = command.checks.isEmpty ? nil : command.checks
        skipNodeUpdate = command.skipNodeUpdate
    }

    /// The command that this asks for; the single check comes after the others, as in Consul.
    package var command: RegisterCommand {
        var copy = self
        return copy.takeCommand()
    }

    /// The same without a copy: the request has no node, service or checks afterwards.
    package mutating func takeCommand() -> RegisterCommand {
        var command = RegisterCommand()
        command.datacenter = datacenter
        swap(&command.node, &node)
        command.node.datacenter = datacenter
        command.service = service.take()
        command.checks = checks.take() ?? []
        if let check = check.take() { command.checks.append(check) }
        command.skipNodeUpdate = skipNodeUpdate
        return command
    }
}

/// The body of `PUT /v1/catalog/deregister`, and command 1 of the log.
///
/// - Source: Consul: PUT /v1/catalog/deregister; RPC sheet §7 "Catalog.Deregister".
package struct DeregisterRequest: WireRecord, Hashable {
    package var datacenter = ""
    package var node = ""
    package var serviceID = ""
    package var checkID = ""
    package var token = ""

    package init() {}

    package static var goType: String { "struct { Address string; *structs.Alias }" }
    package static var decodesItself: Bool { true }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Datacenter", &datacenter)
        try visitor.field("Node", &node)
        try visitor.field("ServiceID", &serviceID)
        try visitor.field("CheckID", &checkID, goType: "types.CheckID")
        try visitor.field("Token", &token)
        var address = ""  // Obsolete, but clients still send it.
        try visitor.alias("Address", &address)
    }

    package init(_ command: DeregisterCommand) {
        datacenter = command.datacenter
        node = command.node
        serviceID = command.serviceID
        checkID = command.checkID
    }

    package var command: DeregisterCommand {
        var command = DeregisterCommand()
        command.datacenter = datacenter
        command.node = node
        command.serviceID = serviceID
        command.checkID = checkID
        return command
    }
}
