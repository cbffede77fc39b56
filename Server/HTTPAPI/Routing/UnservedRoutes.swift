import NIOHTTP1

extension RouteTable {
    /// Endpoints of Consul whose feature this version does not serve: each says so.
    ///
    /// - Deviation: Consul serves them. Without a route they would answer 404 with no text, which
    ///   clients take for "no such record"; 501 with the feature's name is an error to all of them.
    mutating func addUnservedRoutes() {
        addUnserved("agent/monitor", [.GET], "Streaming the agent's log")
        addUnserved("agent/connect/authorize", [.POST], Self.mesh)
        addUnserved("agent/connect/ca/roots", [.GET], Self.mesh)
        addUnserved("agent/connect/ca/leaf/", [.GET], Self.mesh)
        addUnserved("connect/ca/roots", [.GET], Self.mesh)
        addUnserved("connect/ca/configuration", [.GET, .PUT], Self.mesh)
        addUnserved("connect/intentions", [.GET, .POST], Self.intentions)
        addUnserved("connect/intentions/", [.GET, .PUT, .DELETE], Self.intentions)
        addUnserved("connect/intentions/match", [.GET], Self.intentions)
        addUnserved("connect/intentions/check", [.GET], Self.intentions)
        addUnserved("config", [.PUT], Self.entries)
        addUnserved("config/", [.GET, .DELETE], Self.entries)
        addUnserved("discovery-chain/", [.GET, .POST], "The discovery chain")
        addUnserved("operator/keyring", [.GET, .POST, .PUT, .DELETE], "The gossip keyring")
        addUnserved("query", [.GET, .POST], Self.queries)
        addUnserved("query/", [.GET, .PUT, .DELETE], Self.queries)
    }

    private static let mesh = "The mesh's certificate authority"
    private static let intentions = "Intentions"
    private static let entries = "Central configuration entries"
    private static let queries = "Prepared queries"

    private mutating func addUnserved(
        _ path: String,
        _ methods: [HTTPMethod],
        _ feature: String
    ) {
        for method in methods {
            add(method, "/v1/\(path)", .open) { _, _ in
                .reply(.text(.notImplemented, "\(feature): not served by this version"))
            }
        }
    }
}
