package import LocalState
package import Model
package import NIOCore

/// The agent as the routes under `agent/` and `event/` drive it.
///
/// Calls may come from any thread and never block; closures run on the agent's event loop.
package protocol AgentOperations: Sendable {
    /// Changes what is registered with the agent.
    ///
    /// `completion` gets the refusal, or nil once the change holds here and the catalog has learnt
    /// of it. A catalog that takes longer than a bound is not waited for: the change holds all the
    /// same.
    func change(
        _ body: @escaping LocalChange,
        completion: @escaping @Sendable (RegistrationError?) -> Void
    )
    /// Looks at what is registered with the agent.
    func read(_ body: @escaping @Sendable (LocalState) -> Void)
    /// Calls `completion` with the service once `isNews` says so, or when `wait` is over; at once
    /// when the service is not, or no longer, registered.
    func watchService(
        _ id: String,
        wait: TimeAmount,
        isNews: @escaping @Sendable (CatalogService) -> Bool,
        completion: @escaping @Sendable (CatalogService?) -> Void
    )

    /// The members of the local pool, or of the pool of all datacenters' servers.
    func members(wan: Bool) -> [AgentMember]
    /// The bodies of `agent/self`, `agent/host` and `agent/metrics`, as JSON.
    func selfReport(_ completion: @escaping @Sendable ([UInt8]) -> Void)
    func hostReport() -> [UInt8]
    func metricsReport() -> [UInt8]
    /// What the agent calls its version, and where it came from.
    var version: AgentVersion { get }

    /// Reads the configuration again; the completion gets the complaint, or nil.
    func reload(_ completion: @escaping @Sendable (String?) -> Void)
    /// Begins to leave and to stop; completes when the reply may be sent.
    func leave(_ completion: @escaping @Sendable () -> Void)

    /// Fires a user event at this agent; the completion gets it back with its id.
    func fire(_ event: UserEvent, _ completion: @escaping @Sendable (UserEvent) -> Void)
    /// The kept events with this name (any for an empty one), oldest first, once the last one's
    /// index differs from `index`, or when `wait` is over.
    func events(
        named name: String,
        differingFrom index: UInt64,
        wait: TimeAmount,
        _ completion: @escaping @Sendable ([UserEvent]) -> Void
    )
}

/// A change of the local state; it sees the moment and adds to the effects.
package typealias LocalChange =
    @Sendable (inout LocalState, Instant, inout LocalEffects) throws(RegistrationError) -> Void

/// A member of a gossip pool.
///
/// - Source: Consul: GET /v1/agent/members.
package struct AgentMember: Hashable, Sendable {
    package var name = ""
    package var address = ""
    package var port = 0
    package var tags: [String: String] = [:]
    /// 1 alive, 2 leaving, 3 left, 4 failed.
    package var status = 1

    package init() {}
}

/// The version as `agent/version` tells it.
package struct AgentVersion: Hashable, Sendable {
    /// The version of the surface that clients see.
    package var compatible: String
    /// The program's own version.
    package var program: String

    package init(compatible: String, program: String) {
        self.compatible = compatible
        self.program = program
    }
}

/// A user event.
///
/// - Source: Consul: PUT /v1/event/fire/:name.
package struct UserEvent: Hashable, Sendable {
    package var id = ""
    package var name = ""
    package var payload: [UInt8] = []
    /// Regular expressions that select who takes notice; empty selects everyone.
    package var nodeFilter = ""
    package var serviceFilter = ""
    package var tagFilter = ""
    package var version = 1
    /// The Lamport time at which it was received; 0 in the answer to whoever fired it.
    package var lamportTime: UInt64 = 0

    package init() {}
}
