/// What the HTTP API needs to know about the agent it speaks for.
package struct HTTPSettings: Sendable {
    package var datacenter = "dc1"
    /// The agent's own node name: what `near=_agent` and sessions without a node mean.
    package var nodeName = ""
    package var nodeID = ""
    /// The version of Consul whose behaviour this agent has.
    package var version = "1.8.7"
    /// Replies are indented without being asked, as Consul's development mode does.
    package var prettyByDefault = false
    /// Extra header fields of every reply (`http_config.response_headers`).
    package var responseHeaders: [(name: String, value: String)] = []
    /// Paths whose routes are refused (`http_config.block_endpoints`); everything below them too.
    package var blockedEndpoints: [String] = []
    /// Whether addresses seen by other datacenters are the WAN ones; announced in a header.
    package var translatesWANAddresses = false
    package var limits = HTTPLimits()

    package init() {}
}

/// The agent as the routes under `agent/` and `event/` see it.
///
/// Calls come on event loops and must not block. Whatever needs a log entry or the network answers
/// through the responder, on the responder's event loop.
package protocol AgentPort: Sendable {
    /// Adds the routes that only the agent can answer (`/v1/agent/…`, `/v1/event/…`).
    func addRoutes(to table: inout RouteTable)
    /// True once the agent has begun to leave: new writes are refused.
    var isLeaving: Bool { get }
}
