import Filter
import Model
import NIOHTTP1
import Replica
import StateStore
import Wire

extension RouteTable {
    /// `/v1/catalog/…`.
    ///
    /// - Source: Consul: api-docs/catalog.
    mutating func addCatalogRoutes() {
        let nodes = Requirement(.node, .read)
        let services = Requirement(.service, .read)
        add(.PUT, "/v1/catalog/register", Requirement(.node, .write), CatalogWrites.register)
        add(.PUT, "/v1/catalog/deregister", Requirement(.node, .write), CatalogWrites.deregister)
        add(.GET, "/v1/catalog/datacenters", .open, CatalogReads.datacenters)
        add(.GET, "/v1/catalog/nodes", nodes, CatalogReads.nodes)
        add(.GET, "/v1/catalog/services", services, CatalogReads.services)
        add(.GET, "/v1/catalog/service/", services, CatalogReads.service)
        add(.GET, "/v1/catalog/connect/", services, CatalogReads.connect)
        add(.GET, "/v1/catalog/node/", nodes, CatalogReads.node)
        add(.GET, "/v1/catalog/node-services/", nodes, CatalogReads.nodeServices)
        add(.GET, "/v1/catalog/gateway-services/", services, CatalogReads.gatewayServices)
    }
}

/// The reads of the catalog.
enum CatalogReads {
    /// - Source: Consul: GET /v1/catalog/datacenters
    @Sendable static func datacenters(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        var writer = JSONWriter()
        writer.value([context.services.settings.datacenter])
        var reply = Reply.json(writer.bytes)
        if request.query.contains("cached") {
            try CacheControl.check(request.headers["Cache-Control"])
            context.services.cachedQueries.announce("datacenters", in: &reply)
        }
        return .reply(reply)
    }

    /// - Source: Consul: GET /v1/catalog/nodes
    @Sendable static func nodes(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let options = try QueryOptions.announced(request, context, takesNamespace: true)
        let filter = QueryFilter(options.filter, .node)
        return .read(
            ReadQuery(request, options) { state throws(HTTPError) in
                let filter = try filter.resolve()
                let answer = state.store.nodes(nodeMeta: options.nodeMeta)
                var records = answer.value
                if let filter {
                    records = records.filter { filter.matches(NodeSubject(node: $0.node)) }
                }
                Nearness(to: options.near, in: state.store)?.sort(&records) { $0.name }
                var list = JSONList(capacity: records.count * 256)
                for record in records { list.append(record.json) }
                return ReadAnswer(
                    .json(list.finish()),
                    index: answer.index,
                    topics: options.topics(answer.topics),
                    isPinned: true
                )
            }
        )
    }

    /// - Source: Consul: GET /v1/catalog/services
    @Sendable static func services(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let options = try QueryOptions.announced(request, context, takesCache: true)
        return .read(
            ReadQuery(request, options) { state in
                let answer = state.store.services(nodeMeta: options.nodeMeta)
                var writer = JSONWriter(capacity: answer.value.count * 48)
                writer.beginObject()
                for listing in answer.value {
                    writer.key(listing.name)
                    writer.value(listing.tags)
                }
                writer.endObject()
                return ReadAnswer(
                    .json(writer.bytes),
                    index: answer.index,
                    topics: answer.topics,
                    isPinned: true
                )
            }
        )
    }

    /// - Source: Consul: GET /v1/catalog/service/:service
    @Sendable static func service(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try instances(request, context, connect: false)
    }

    /// - Source: Consul: GET /v1/catalog/connect/:service
    @Sendable static func connect(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try instances(request, context, connect: true)
    }

    private static func instances(
        _ request: Request,
        _ context: RequestContext,
        connect: Bool
    ) throws(HTTPError) -> Outcome {
        let options = try QueryOptions.announced(request, context, takesCache: true)
        let name = try request.name(orMissing: "service name")
        // The mesh form does not look at tags, nor does Consul.
        let tags = connect ? [] : request.query.all("tag")
        let filter = QueryFilter(options.filter, .catalogService)
        return .read(
            ReadQuery(request, options) { state throws(HTTPError) in
                let filter = try filter.resolve()
                let answer = state.store.serviceInstances(
                    name,
                    tags: tags,
                    nodeMeta: options.nodeMeta,
                    connect: connect
                )
                var found = answer.value
                Nearness(to: options.near, in: state.store)?.sort(&found) { $0.node.name }
                var writer = JSONWriter(capacity: found.count * 512)
                writer.beginArray()
                for instance in found {
                    let node = instance.node.node
                    let service = instance.service.service
                    let subject = ServiceNodeSubject(node: node, service: service)
                    guard filter?.matches(subject) ?? true else { continue }
                    CatalogJSON.serviceNode(node, service, into: &writer)
                }
                writer.endArray()
                return ReadAnswer(
                    .json(writer.bytes),
                    index: answer.index,
                    topics: options.topics(answer.topics),
                    isPinned: !answer.value.isEmpty
                )
            }
        )
    }
}
