import Model
import NIOHTTP1
import Replica
import Wire

extension RouteTable {
    /// `/v1/status/…`.
    ///
    /// - Source: Consul: api-docs/status.
    mutating func addStatusRoutes() {
        add(.GET, "/v1/status/leader", .open, StatusReads.leader)
        add(.GET, "/v1/status/peers", .open, StatusReads.peers)
    }
}

/// Who leads, and who else is there.
enum StatusReads {
    /// - Source: Consul: GET /v1/status/leader
    @Sendable static func leader(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try request.requireDatacenter(context.services.settings)
        var writer = JSONWriter()
        writer.string(context.services.replica.leadership.leader?.address ?? "")
        return .reply(.json(writer.bytes))
    }

    /// - Source: Consul: GET /v1/status/peers
    @Sendable static func peers(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try request.requireDatacenter(context.services.settings)
        var writer = JSONWriter()
        writer.value(context.services.replica.leadership.servers.map(\.address))
        return .reply(.json(writer.bytes))
    }
}
