import Model
import NIOHTTP1
import Replica
import StateStore
import Wire

extension RouteTable {
    /// `/v1/coordinate/…`.
    ///
    /// - Source: Consul: api-docs/coordinate.
    mutating func addCoordinateRoutes() {
        let read = Requirement(.node, .read)
        add(.GET, "/v1/coordinate/datacenters", .open, Coordinates.datacenters)
        add(.GET, "/v1/coordinate/nodes", read, Coordinates.nodes)
        add(.GET, "/v1/coordinate/node/", read, Coordinates.node)
        add(.PUT, "/v1/coordinate/update", Requirement(.node, .write), Coordinates.update)
    }
}

/// Network coordinates.
enum Coordinates {
    /// How many dimensions a coordinate must have.
    ///
    /// - Source: Consul: docs/internals/coordinates.
    private static let dimensions = 8

    /// The coordinate of this server among the datacenters: the origin, as long as there is only
    /// one.
    ///
    /// - Source: Consul: GET /v1/coordinate/datacenters
    @Sendable static func datacenters(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let settings = context.services.settings
        var own = NodeCoordinate()
        own.node = settings.nodeName
        own.coordinate.vector = Array(repeating: 0, count: dimensions)
        own.coordinate.error = 1.5
        own.coordinate.height = 1e-5
        var writer = JSONWriter()
        writer.beginArray()
        writer.beginObject()
        writer.key("Datacenter")
        writer.string(settings.datacenter)
        writer.key("AreaID")
        writer.string("wan")
        writer.key("Coordinates")
        writer.value([own])
        writer.endObject()
        writer.endArray()
        return .reply(.json(writer.bytes))
    }

    /// - Source: Consul: GET /v1/coordinate/nodes
    @Sendable static func nodes(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let options = try QueryOptions(request, context)
        let segment = request.query["segment"]
        return .read(
            ReadQuery(request, options) { state in
                let answer = state.store.coordinates()
                let records = filter(answer.value, segment)
                return ReadAnswer(
                    .json(json(records)),
                    index: answer.index,
                    topics: answer.topics
                )
            }
        )
    }

    /// - Source: Consul: GET /v1/coordinate/node/:node
    @Sendable static func node(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let options = try QueryOptions(request, context)
        let name = request.rest
        let acceptsGzip = request.acceptsGzip
        let segment = request.query["segment"]
        return .read(
            ReadQuery(request, options) { state in
                let answer = state.store.coordinates(node: name)
                let records = filter(answer.value, segment)
                var result = ReadAnswer(
                    records.isEmpty ? .empty(.notFound) : .json(json(records)),
                    index: answer.index,
                    topics: answer.topics
                )
                result.announcesIndex = !records.isEmpty || acceptsGzip
                return result
            }
        )
    }

    private static func filter(
        _ records: [CoordinateRecord],
        _ segment: String?
    ) -> [CoordinateRecord] {
        guard let segment else { return records }
        return records.filter { $0.coordinate.segment == segment }
    }

    private static func json(_ records: [CoordinateRecord]) -> [UInt8] {
        var list = JSONList(capacity: records.count * 160)
        for record in records { list.append(record.json) }
        return list.finish()
    }

    /// - Source: Consul: PUT /v1/coordinate/update
    /// - Deviation: Consul's handler crashes on a body without a coordinate; it is refused here.
    @Sendable static func update(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let body = try request.decodeBody(CoordinateUpdateBody.self, refusesUnknownKeys: false)
        let settings = context.services.settings
        try request.requireDatacenter(settings)
        guard body.datacenter.isEmpty || body.datacenter == settings.datacenter else {
            throw .failed("No path to datacenter")
        }
        let coordinate = body.coordinate.coordinate
        let numbers =
            coordinate.vector + [
                coordinate.error, coordinate.adjustment, coordinate.height,
            ]
        guard numbers.allSatisfy(\.isFinite) else { throw .failed("invalid coordinate") }
        guard coordinate.vector.count == dimensions else {
            throw .failed("incompatible coordinate")
        }
        return Proposals.propose(.updateCoordinates([body.coordinate]), context) { _ in
            .empty(.ok)
        }
    }
}
