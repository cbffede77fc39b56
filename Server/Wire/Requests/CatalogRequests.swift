package import Model

/// The body of `PUT /v1/catalog/register`, and command 0 of the log.
///
/// - Source: Consul: PUT /v1/catalog/register; RPC sheet §7 "Catalog.Register".
package struct RegisterRequest: WireRecord, Hashable {
    private var content = RegisterCommand()
    private var single = SingleCheck()
    package var token = ""

    package init() {}

    package init(_ command: RegisterCommand) {
        content = command
    }

    package static var goType: String { "structs.RegisterRequest" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Datacenter", &content.datacenter)
        try visitor.field("ID", &content.node.id, goType: "types.NodeID")
        try visitor.field("Node", &content.node.name)
        try visitor.field("Address", &content.node.address)
        try visitor.field("TaggedAddresses", &content.node.taggedAddresses)
        try visitor.field("NodeMeta", &content.node.meta)
        try visitor.field("Service", &content.service)
        try visitor.field("Check", &single)
        var checks = Visitor.isReading || content.checks.isEmpty ? nil : content.checks
        try visitor.field("Checks", &checks, goType: "structs.HealthChecks")
        if Visitor.isReading, let checks { content.checks = checks }
        try visitor.field("SkipNodeUpdate", &content.skipNodeUpdate)
        try visitor.field("Token", &token)
        try visitor.indexes(&content.node.indexes)
    }

    package var datacenter: String {
        get { content.datacenter }
        set { content.datacenter = newValue }
    }

    /// The node's own fields; its datacenter is the request's.
    package var node: Node { content.node }

    /// The command that this asks for; the single check comes after the others, as in Consul.
    package var command: RegisterCommand {
        var copy = self
        return copy.takeCommand()
    }

    /// The same without a copy: nothing is left of the request afterwards.
    package mutating func takeCommand() -> RegisterCommand {
        content.node.datacenter = content.datacenter
        content.checks += single.checks
        var command = RegisterCommand()
        swap(&command, &content)
        single.checks = []
        return command
    }
}

/// The check that a request may have beside its list of checks: a list of at most one, because
/// requests with it are few and a check is large.
private struct SingleCheck: WireValue, Hashable {
    var checks: [HealthCheck] = []

    static var goType: String { HealthCheck.goType }
    var isZero: Bool { checks.isEmpty }

    func writeJSON(_ writer: inout JSONWriter) {
        checks.first.writeJSON(&writer)
    }

    mutating func readJSON(_ reader: inout JSONReader) throws(WireError) {
        var check = checks.first
        try check.readJSON(&reader)
        checks = check.map { [$0] } ?? []
    }

    func writePack(_ writer: inout MessagePackWriter) {
        checks.first.writePack(&writer)
    }

    mutating func readPack(_ reader: inout MessagePackReader) throws(WireError) {
        var check = checks.first
        try check.readPack(&reader)
        checks = check.map { [$0] } ?? []
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
