import Model
import Wire

/// The JSON of records as replies show it, made once when a record is written.
///
/// Lists that came as null are shown empty where Consul's HTTP layer does so; the records remember.
/// - Source: Consul: GET /v1/health/service/:service: `Tags` and `ServiceTags` are never null.
enum Fragment {
    static func encode(_ node: Node) -> [UInt8] {
        var node = node
        return JSON.encode(&node)
    }

    static func encode(_ session: Session) -> [UInt8] {
        JSON.encode(session)
    }

    static func encode(_ coordinate: NodeCoordinate) -> [UInt8] {
        JSON.encode(coordinate)
    }

    /// Also fills in what replies show where the registration had nothing.
    static func encode(_ service: inout CatalogService) -> [UInt8] {
        if service.tags == nil { service.tags = [] }
        if service.weights == nil { service.weights = Weights(passing: 1, warning: 1) }
        return JSON.encode(&service)
    }

    /// Also fills in what replies show where the registration had nothing.
    static func encode(_ check: inout HealthCheck) -> [UInt8] {
        if check.serviceTags == nil { check.serviceTags = [] }
        return JSON.encode(&check)
    }

    /// The service of a fragment; nil never happens for what `encode` made.
    static func decodeService(_ fragment: UnsafeRawBufferPointer) -> CatalogService? {
        do { return try JSON.decode(CatalogService.self, from: fragment) } catch { return nil }
    }

    /// The check of a fragment; nil never happens for what `encode` made.
    static func decodeCheck(_ fragment: UnsafeRawBufferPointer) -> HealthCheck? {
        do { return try JSON.decode(HealthCheck.self, from: fragment) } catch { return nil }
    }
}
