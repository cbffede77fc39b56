package import Model

/// The forms of catalog records in replies, where they differ from the records themselves.
package enum CatalogJSON {
    /// A node, as `/catalog/nodes` and `/health/service` show it.
    package static func node(_ node: Node, into writer: inout JSONWriter) {
        node.writeJSON(&writer)
    }

    /// A service, as `/health/service` and `/catalog/node` show it: tags are never null, and
    /// weights never absent.
    ///
    /// - Source: Consul: GET /v1/health/service/:service.
    package static func service(_ service: CatalogService, into writer: inout JSONWriter) {
        shown(service).writeJSON(&writer)
    }

    /// A check, as `/health/…` shows it: tags are never null.
    ///
    /// - Source: Consul: GET /v1/health/node/:node.
    package static func check(_ check: HealthCheck, into writer: inout JSONWriter) {
        var check = check
        if check.serviceTags == nil { check.serviceTags = [] }
        check.writeJSON(&writer)
    }

    /// A service with null tags where it has none, as `/internal/ui/nodes` shows it.
    package static func plainService(_ service: CatalogService, into writer: inout JSONWriter) {
        var service = service
        if service.weights == nil { service.weights = Weights(passing: 1, warning: 1) }
        service.writeJSON(&writer)
    }

    /// A node and one of its services in one object, as `/catalog/service` shows them: neither
    /// tags nor metadata of the service are null.
    ///
    /// - Source: Consul: GET /v1/catalog/service/:service.
    package static func serviceNode(
        _ node: Node,
        _ service: CatalogService,
        into writer: inout JSONWriter
    ) {
        var flat = ServiceNode(node: node, service: shown(service))
        if flat.service.meta == nil { flat.service.meta = [:] }
        flat.writeJSON(&writer)
    }

    private static func shown(_ service: CatalogService) -> CatalogService {
        var service = service
        if service.tags == nil { service.tags = [] }
        if service.weights == nil { service.weights = Weights(passing: 1, warning: 1) }
        return service
    }
}

/// A service with the fields of its node (Consul's `ServiceNode`).
package struct ServiceNode: WireRecord, Hashable {
    package var node = Node()
    package var service = CatalogService()

    package init() {}

    package init(node: Node, service: CatalogService) {
        self.node = node
        self.service = service
    }

    package static var goType: String { "structs.ServiceNode" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("ID", &node.id, goType: "types.NodeID")
        try visitor.field("Node", &node.name)
        try visitor.field("Address", &node.address)
        try visitor.field("Datacenter", &node.datacenter)
        try visitor.field("TaggedAddresses", &node.taggedAddresses)
        try visitor.field("NodeMeta", &node.meta)
        try visitor.field("ServiceKind", &service.kind)
        try visitor.field("ServiceID", &service.id)
        try visitor.field("ServiceName", &service.name)
        try visitor.field("ServiceTags", &service.tags)
        try visitor.field("ServiceAddress", &service.address)
        try visitor.field("ServiceTaggedAddresses", &service.taggedAddresses, .omitEmpty)
        try visitor.weights("ServiceWeights", &service.weights)
        try visitor.field("ServiceMeta", &service.meta)
        try visitor.field("ServicePort", &service.port)
        try visitor.field("ServiceEnableTagOverride", &service.enableTagOverride)
        try visitor.field("ServiceProxy", &service.proxy)
        try visitor.field("ServiceConnect", &service.connect)
        try visitor.indexes(&service.indexes)
    }
}
