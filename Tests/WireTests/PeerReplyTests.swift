import Model
import Testing
import Wire

/// A health/service entry; the server composes it from fragments.
private struct HealthEntry: WireRecord {
    var node = Node()
    var service = CatalogService()
    var checks: [HealthCheck] = []

    static var goType: String { "structs.CheckServiceNode" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Node", &node)
        try visitor.field("Service", &service)
        try visitor.field("Checks", &checks)
    }
}

@Suite("Recorded replies of Consul")
struct PeerReplyTests {
    private func reproduces<Record: WireRecord>(_ type: Record.Type, _ reply: String) throws {
        let records = try JSON.decode([Record].self, from: Array(reply.utf8))
        let text = String(decoding: JSON.pretty(JSON.encode(records)), as: UTF8.self)
        #expect(text == reply)
        let packed = MessagePack.encode(records)
        let unpacked = try MessagePack.decode([Record].self, from: packed)
        #expect(String(decoding: JSON.pretty(JSON.encode(unpacked)), as: UTF8.self) == reply)
    }

    @Test("Nodes are written as they were read")
    func nodes() throws {
        try reproduces(Node.self, PeerReplies.catalogNodes)
    }

    @Test(
        "Services and checks are written as they were read",
        arguments: [
            PeerReplies.healthService, PeerReplies.healthServiceBare,
            PeerReplies.healthServiceProxy, PeerReplies.healthServiceEscapes,
        ]
    )
    func healthServices(reply: String) throws {
        try reproduces(HealthEntry.self, reply)
    }

    @Test(
        "Flat services are written as they were read",
        arguments: [PeerReplies.catalogService, PeerReplies.catalogServiceBare]
    )
    func catalogServices(reply: String) throws {
        try reproduces(ServiceNode.self, reply)
    }

    @Test("Sessions, keys and coordinates are written as they were read")
    func others() throws {
        try reproduces(Session.self, PeerReplies.sessions)
        try reproduces(KeyValueEntry.self, PeerReplies.keys)
        try reproduces(KeyValueEntry.self, PeerReplies.keyWithoutValue)
        try reproduces(NodeCoordinate.self, PeerReplies.coordinates)
    }

    @Test("The autopilot configuration is written as it was read")
    func autopilot() throws {
        let reply = PeerReplies.autopilot
        let record = try JSON.decode(AutopilotConfiguration.self, from: Array(reply.utf8))
        #expect(String(decoding: JSON.pretty(JSON.encode(record)), as: UTF8.self) == reply)
    }

    @Test("A service registered without tags, weights and metadata is shown as Consul shows it")
    func bareService() throws {
        var node = Node()
        (node.name, node.address, node.datacenter) = ("n3", "10.0.0.4", "dc1")
        node.indexes = RecordIndexes(create: LogIndex(rawValue: 22), modify: LogIndex(rawValue: 22))
        var service = CatalogService()
        (service.id, service.name, service.indexes) = ("bare", "bare", node.indexes)

        var flat = JSONWriter()
        flat.beginArray()
        CatalogJSON.serviceNode(node, service, into: &flat)
        flat.endArray()
        let flatText = String(decoding: JSON.pretty(flat.bytes), as: UTF8.self)
        #expect(flatText == PeerReplies.catalogServiceBare)

        var health = JSONWriter()
        health.beginArray()
        health.beginObject()
        health.key("Node")
        CatalogJSON.node(node, into: &health)
        health.key("Service")
        CatalogJSON.service(service, into: &health)
        health.key("Checks")
        health.beginArray()
        health.endArray()
        health.endObject()
        health.endArray()
        let healthText = String(decoding: JSON.pretty(health.take()), as: UTF8.self)
        #expect(healthText == PeerReplies.healthServiceBare)
    }
}
