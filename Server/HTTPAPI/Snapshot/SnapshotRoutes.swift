import Model
import NIOCore
import NIOHTTP1

extension RouteTable {
    /// `/v1/snapshot`.
    ///
    /// - Source: Consul: api-docs/snapshot.
    mutating func addSnapshotRoutes() {
        let management = Requirement(.acl, .write)
        add(.GET, "/v1/snapshot", management, SnapshotRoutes.save)
        add(.PUT, "/v1/snapshot", management, bodyLimit: .upload, SnapshotRoutes.restore)
    }
}

/// Saving and restoring the registry.
enum SnapshotRoutes {
    private static let unserved = HTTPError(
        .notImplemented,
        "Saving and restoring snapshots: not served by this version"
    )

    /// - Source: Consul: GET /v1/snapshot
    @Sendable static func save(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try request.requireDatacenter(context.services.settings)
        guard let port = context.services.snapshots else { throw unserved }
        let isStale = request.query.contains("stale")
        return .pending { responder in
            port.save(stale: isStale) { result in
                switch result {
                case .failure(let refusal):
                    responder.send(.text(refusal.status, refusal.message))
                case .success(let snapshot):
                    responder.stream(head(of: snapshot), from: snapshot.source)
                }
            }
        }
    }

    /// - Deviation: Consul compresses the archive, which is compressed, a second time for clients
    ///   that accept it.
    private static func head(of snapshot: SavedSnapshot) -> StreamedReply {
        let reply = Reply(
            .ok,
            headers: [
                ("X-Consul-Index", String(snapshot.index.rawValue)),
                ("X-Consul-Knownleader", snapshot.knowsLeader ? "true" : "false"),
                ("X-Consul-Lastcontact", String(snapshot.lastContactMilliseconds)),
            ]
        )
        return StreamedReply(head: reply, contentType: "application/x-gzip")
    }

    /// - Source: Consul: PUT /v1/snapshot
    @Sendable static func restore(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try request.requireDatacenter(context.services.settings)
        guard !request.query.contains("stale") else {
            throw .failed("stale not allowed for restore")
        }
        guard let port = context.services.snapshots, let upload = context.upload else {
            throw unserved
        }
        return .pending { responder in
            upload.finish { result in
                switch result {
                case .failure(let refusal):
                    responder.send(.text(refusal.status, refusal.message))
                case .success(let archive):
                    port.restore(archive) { result in
                        responder.send(reply(to: result))
                    }
                }
            }
        }
    }

    @Sendable private static func reply(to result: Result<Void, SnapshotRefusal>) -> Reply {
        switch result {
        case .success: Reply(.ok)
        case .failure(let refusal): .text(refusal.status, refusal.message)
        }
    }
}
