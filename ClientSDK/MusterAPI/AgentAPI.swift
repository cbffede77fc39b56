/// What the agent itself knows and does: `/v1/agent`.
public struct AgentAPI: Sendable {
    let client: MusterClient
}

extension MusterClient {
    /// What the agent itself knows and does.
    public var agent: AgentAPI { AgentAPI(client: self) }
}

extension AgentAPI {
    /// The agent's configuration, membership and counters.
    public func identity() async throws -> AgentSelf {
        try await client.get(AgentSelf.self, RegistryRequest("/v1/agent/self"), QueryOptions())
            .value
    }

    /// What the agent's machine is and how busy.
    public func host() async throws -> JSONValue {
        try await client.get(JSONValue.self, RegistryRequest("/v1/agent/host"), QueryOptions())
            .value
    }

    /// The agent's counters, gauges and samples.
    public func metrics() async throws -> JSONValue {
        try await client.get(JSONValue.self, RegistryRequest("/v1/agent/metrics"), QueryOptions())
            .value
    }

    /// The members of the cluster that the agent sees.
    ///
    /// - Parameter wan: Whether to list the servers of all datacenters instead.
    /// - Returns: The members.
    /// - Throws: ``MusterError``.
    public func members(wan: Bool = false) async throws -> [AgentMember] {
        var request = RegistryRequest("/v1/agent/members")
        if wan { request.add("wan", "1") }
        return try await client.get([AgentMember].self, request, QueryOptions()).value
    }

    /// Makes the agent join the cluster that the agent at `address` belongs to.
    public func join(_ address: String, wan: Bool = false) async throws {
        var request = RegistryRequest("PUT", "/v1/agent/join/" + RegistryRequest.encode(address))
        if wan { request.add("wan", "1") }
        try await client.write(request)
    }

    /// Makes the agent leave the cluster and stop.
    public func leave() async throws {
        try await client.write(RegistryRequest("PUT", "/v1/agent/leave"))
    }

    /// Declares a failed member as left.
    ///
    /// - Parameters:
    ///   - node: The member's node.
    ///   - prune: Whether it vanishes from the list of members, too.
    /// - Throws: ``MusterError``.
    public func forceLeave(_ node: String, prune: Bool = false) async throws {
        var request = RegistryRequest(
            "PUT",
            "/v1/agent/force-leave/" + RegistryRequest.encode(node)
        )
        request.flag("prune", prune)
        try await client.write(request)
    }

    /// Makes the agent read its configuration files again.
    public func reload() async throws {
        try await client.write(RegistryRequest("PUT", "/v1/agent/reload"))
    }

    /// Takes the whole node out of service, or puts it back.
    public func setMaintenance(_ enabled: Bool, reason: String = "") async throws {
        try await client.write(maintenance("/v1/agent/maintenance", enabled, reason))
    }

    /// Takes one instance out of service, or puts it back.
    ///
    /// - Parameters:
    ///   - enabled: Whether it is out of service.
    ///   - serviceID: The instance's id on this agent.
    ///   - reason: Shown to whoever asks why.
    /// - Throws: ``MusterError``; code `notFound` when the agent does not know the instance.
    public func setMaintenance(
        _ enabled: Bool,
        serviceID: String,
        reason: String = ""
    ) async throws {
        let path = "/v1/agent/service/maintenance/" + RegistryRequest.encode(serviceID)
        try await client.write(maintenance(path, enabled, reason))
    }

    private func maintenance(_ path: String, _ enabled: Bool, _ reason: String) -> RegistryRequest {
        var request = RegistryRequest("PUT", path)
        request.add("enable", enabled ? "true" : "false")
        if !reason.isEmpty { request.add("reason", reason) }
        return request
    }
}
