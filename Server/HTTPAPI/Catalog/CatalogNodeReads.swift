import Filter
import Model
import Replica
import StateStore
import Wire

extension CatalogReads {
    /// - Source: Consul: GET /v1/catalog/node/:node
    @Sendable static func node(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try node(request, context) { found, writer in
            guard let found else { return writer.null() }
            writer.beginObject()
            writer.key("Node")
            writer.raw(found.node.json)
            writer.key("Services")
            writer.beginObject()
            let byID = found.services.map { (id: $0.id, record: $0) }
                .sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
            for service in byID {
                writer.key(service.id)
                service.record.withJSON { writer.raw($0) }
            }
            writer.endObject()
            writer.endObject()
        }
    }

    /// - Source: Consul: GET /v1/catalog/node-services/:node
    @Sendable static func nodeServices(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try node(request, context) { found, writer in
            writer.beginObject()
            writer.key("Node")
            if let found { writer.raw(found.node.json) } else { writer.null() }
            writer.key("Services")
            // Null when the node has none; empty when a filter has left none.
            if let found, !found.services.isEmpty || found.isFiltered {
                writer.beginArray()
                for service in found.services {
                    service.withJSON { writer.raw($0) }
                }
                writer.endArray()
            } else {
                writer.null()
            }
            writer.endObject()
        }
    }

    private struct Found {
        let node: NodeRecord
        let services: [ServiceRecord]
        let isFiltered: Bool
    }

    private static func node(
        _ request: Request,
        _ context: RequestContext,
        write: @escaping @Sendable (Found?, inout JSONWriter) -> Void
    ) throws(HTTPError) -> Outcome {
        let options = try QueryOptions.announced(request, context)
        let name = try request.name(orMissing: "node name")
        let filter = QueryFilter(options.filter, .nodeService)
        return .read(
            ReadQuery(request, options) { state throws(HTTPError) in
                let filter = try filter.resolve()
                let answer = state.store.nodeServices(name)
                let found = answer.value.map { found in
                    let services = found.services.filter { record in
                        filter?.matches(ServiceSubject(record.service)) ?? true
                    }
                    return Found(
                        node: found.node,
                        services: services,
                        isFiltered: filter != nil
                    )
                }
                var writer = JSONWriter()
                write(found, &writer)
                return ReadAnswer(
                    .json(writer.bytes),
                    index: answer.index,
                    topics: answer.topics
                )
            }
        )
    }

    /// No gateway has services before its configuration entries exist: the list is null.
    ///
    /// - Source: Consul: GET /v1/catalog/gateway-services/:gateway
    @Sendable static func gatewayServices(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let options = try QueryOptions.announced(request, context)
        let name = try request.name(orMissing: "gateway name")
        return .read(
            ReadQuery(request, options) { state in
                let answer = state.store.serviceInstances(name)
                let body = Array("null".utf8)
                return ReadAnswer(.json(body), index: LogIndex.zero, topics: answer.topics)
            }
        )
    }
}
