import Model
import NIOHTTP1
import Replica
import Wire

extension RouteTable {
    /// What operators write: `/v1/operator/raft/peer`, autopilot's settings.
    mutating func addRaftPeerRoutes() {
        let requirement = Requirement(.operatorControl, .write)
        add(.DELETE, "/v1/operator/raft/peer", requirement, OperatorWrites.removePeer)
        let autopilot = "/v1/operator/autopilot/configuration"
        add(.PUT, autopilot, requirement, OperatorWrites.setAutopilot)
    }
}

/// What operators change about the servers.
enum OperatorWrites {
    /// Removes a server from the log's configuration; the only voter cannot be removed.
    ///
    /// - Source: Consul: DELETE /v1/operator/raft/peer
    @Sendable static func removePeer(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let id = request.query["id"]
        let address = request.query["address"]
        if id == nil, address == nil {
            throw .badRequest(
                "Bad request: Must specify either ?id with the server's ID or "
                    + "?address with IP:port of peer to remove"
            )
        }
        if id != nil, address != nil {
            throw .badRequest("Bad request: Must specify only one of ?id or ?address")
        }
        try request.requireDatacenter(context.services.settings)
        let servers = context.services.replica.leadership.servers
        let isKnown = servers.contains { $0.id == id || $0.address == address }
        guard isKnown else {
            let what = id.map { "id \(GoQuote.quote($0))" }
            let other = address.map { "address \(GoQuote.quote($0))" }
            throw .failed("\(what ?? other ?? "") was not found in the Raft configuration")
        }
        throw .failed("need at least one voter in configuration: {[]}")
    }
}
