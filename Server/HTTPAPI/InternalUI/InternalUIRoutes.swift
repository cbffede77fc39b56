import Filter
import Model
import NIOHTTP1
import Replica
import StateStore
import Wire

extension RouteTable {
    /// `/v1/internal/ui/…`, which Consul's web interface uses.
    mutating func addInternalUIRoutes() {
        let nodes = Requirement(.node, .read)
        let services = Requirement(.service, .read)
        add(.GET, "/v1/internal/ui/nodes", nodes, InternalUIReads.nodes)
        add(.GET, "/v1/internal/ui/node/", nodes, InternalUIReads.node)
        add(.GET, "/v1/internal/ui/services", services, InternalUIReads.services)
        add(
            .GET,
            "/v1/internal/ui/gateway-services-nodes/",
            services,
            InternalUIReads.gatewayServicesNodes
        )
    }
}

/// The lists of the web interface.
enum InternalUIReads {
    /// - Source: Consul: GET /v1/internal/ui/nodes
    @Sendable static func nodes(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try request.refuseNamespace()
        let options = try QueryOptions(request, context)
        let filter = QueryFilter(options.filter, .nodeDump)
        return .read(
            ReadQuery(request, options) { state throws(HTTPError) in
                let filter = try filter.resolve()
                let answer = state.store.nodeDump()
                var writer = JSONWriter(capacity: answer.value.count * 1024)
                writer.beginArray()
                for details in answer.value {
                    let subject = NodeDetailsSubject(details)
                    guard filter?.matches(subject) ?? true else { continue }
                    write(subject, to: &writer)
                }
                writer.endArray()
                return ReadAnswer(
                    .json(writer.bytes),
                    index: answer.index,
                    topics: answer.topics
                )
            }
        )
    }

    /// - Source: Consul: GET /v1/internal/ui/node/:node
    @Sendable static func node(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try request.refuseNamespace()
        let options = try QueryOptions(request, context)
        let name = try request.name(orMissing: "node name")
        let acceptsGzip = request.acceptsGzip
        return .read(
            ReadQuery(request, options) { state in
                let answer = state.store.nodeDetails(name)
                guard let details = answer.value else {
                    var result = ReadAnswer(
                        .empty(.notFound),
                        index: answer.index,
                        topics: answer.topics
                    )
                    result.announcesIndex = acceptsGzip
                    return result
                }
                var writer = JSONWriter()
                write(NodeDetailsSubject(details), to: &writer)
                return ReadAnswer(
                    .json(writer.bytes),
                    index: answer.index,
                    topics: answer.topics
                )
            }
        )
    }

    private static func write(_ details: NodeDetailsSubject, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("ID")
        writer.string(details.node.id)
        writer.key("Node")
        writer.string(details.node.name)
        writer.key("Address")
        writer.string(details.node.address)
        writer.key("TaggedAddresses")
        writer.value(details.node.taggedAddresses)
        writer.key("Meta")
        writer.value(details.node.meta)
        writer.key("Services")
        writer.beginArray()
        for service in details.services { CatalogJSON.plainService(service, into: &writer) }
        writer.endArray()
        writer.key("Checks")
        writer.value(details.checks)
        writer.endObject()
    }

    /// No gateway has services before its configuration entry exists.
    ///
    /// - Source: Consul: GET /v1/internal/ui/gateway-services-nodes/:gateway
    @Sendable static func gatewayServicesNodes(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try request.refuseNamespace()
        let options = try QueryOptions(request, context)
        let name = try request.name(orMissing: "gateway name")
        return .read(
            ReadQuery(request, options) { state in
                let topics = state.store.serviceInstances(name).topics
                return ReadAnswer(.json(Array("[]".utf8)), index: .zero, topics: topics)
            }
        )
    }
}

extension NodeDetailsSubject {
    init(_ details: NodeDetails) {
        self.init(
            node: details.node.node,
            services: details.services.map(\.service),
            checks: details.checks.map(\.check)
        )
    }
}
