import Model
import NIOHTTP1
import Replica
import Wire

extension RouteTable {
    /// What operators write: the servers of the log, their leader, autopilot's settings.
    mutating func addRaftPeerRoutes() {
        let requirement = Requirement(.operatorControl, .write)
        add(.DELETE, "/v1/operator/raft/peer", requirement, OperatorWrites.removePeer)
        let transfer = "/v1/operator/raft/transfer-leader"
        add(.POST, transfer, requirement, OperatorWrites.transferLeader)
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
        let selector = id.map { ServerSelector.id($0) } ?? .address(address ?? "")
        let voters = context.services.replica.leadership.servers.filter(\.isVoter)
        if voters.count == 1, voters[0].matches(selector) {
            throw .failed("need at least one voter in configuration: {[]}")
        }
        return ask(.removeServer(selector), selector, context) { .empty(.ok) }
    }

    /// Hands leadership to the server with the given id, or to the one that is most up to date.
    ///
    /// - Source: Consul 1.15: POST /v1/operator/raft/transfer-leader
    @Sendable static func transferLeader(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try request.requireDatacenter(context.services.settings)
        let id = request.query["id"].flatMap { $0.isEmpty ? nil : $0 }
        let selector = id.map { ServerSelector.id($0) }
        return ask(.transferLeadership(to: selector), selector, context) {
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("Success")
            writer.bool(true)
            writer.endObject()
            return .json(writer.bytes)
        }
    }

    private static func ask(
        _ order: LeaderRequest,
        _ selector: ServerSelector?,
        _ context: RequestContext,
        _ success: @escaping @Sendable () -> Reply
    ) -> Outcome {
        let replica = context.services.replica
        return .pending { responder in
            replica.ask(order, on: responder.eventLoop) { reply in
                switch reply {
                case .done, .health: responder.send(success())
                case .failed(let message): responder.send(.text(.internalError, message))
                case .noLeader: responder.send(HTTPError(ProposalError.noLeader).reply)
                case .notFound:
                    let text = "\(name(selector)) was not found in the Raft configuration"
                    responder.send(.text(.internalError, text))
                }
            }
        }
    }

    private static func name(_ selector: ServerSelector?) -> String {
        switch selector {
        case .id(let id)?: "id \(GoQuote.quote(id))"
        case .address(let address)?: "address \(GoQuote.quote(address))"
        case nil: "a voter to lead"
        }
    }
}
