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
    public func identity(token: String? = nil) async throws -> AgentSelf {
        try await read(AgentSelf.self, "/v1/agent/self", token)
    }

    /// What the agent's machine is and how busy.
    public func host(token: String? = nil) async throws -> JSONValue {
        try await read(JSONValue.self, "/v1/agent/host", token)
    }

    /// The version of Consul whose API the agent speaks, like `1.8.7`.
    ///
    /// - Parameter token: The token, instead of the client's.
    /// - Returns: The version.
    /// - Throws: ``MusterError``; code `notFound` from a Consul older than this endpoint.
    public func version(token: String? = nil) async throws -> String {
        try await read(JSONValue.self, "/v1/agent/version", token)["HumanVersion"]?.string ?? ""
    }

    /// The agent's counters, gauges and samples.
    public func metrics(token: String? = nil) async throws -> JSONValue {
        try await read(JSONValue.self, "/v1/agent/metrics", token)
    }

    /// The members of the cluster that the agent sees.
    ///
    /// - Parameters:
    ///   - wan: Whether to list the servers of all datacenters instead.
    ///   - token: The token, instead of the client's.
    /// - Returns: The members.
    /// - Throws: ``MusterError``.
    public func members(wan: Bool = false, token: String? = nil) async throws -> [AgentMember] {
        var request = RegistryRequest("/v1/agent/members")
        if wan { request.add("wan", "1") }
        return try await client.get([AgentMember].self, request, QueryOptions(token: token)).value
    }

    /// Makes the agent join the cluster that the agent at `address` belongs to.
    ///
    /// - Parameters:
    ///   - address: The other agent's host, with its gossip port or without.
    ///   - wan: Whether it is a server of another datacenter.
    ///   - token: The token, instead of the client's.
    /// - Throws: ``MusterError``.
    public func join(_ address: String, wan: Bool = false, token: String? = nil) async throws {
        var request = RegistryRequest("PUT", "/v1/agent/join/" + RegistryRequest.encode(address))
        if wan { request.add("wan", "1") }
        try await client.write(request, WriteOptions(token: token))
    }

    /// Makes the agent leave the cluster and stop.
    public func leave(token: String? = nil) async throws {
        try await client.write(
            RegistryRequest("PUT", "/v1/agent/leave"),
            WriteOptions(token: token)
        )
    }

    /// Declares a failed member as left.
    ///
    /// - Parameters:
    ///   - node: The member's node.
    ///   - prune: Whether it vanishes from the list of members, too.
    ///   - token: The token, instead of the client's.
    /// - Throws: ``MusterError``.
    public func forceLeave(
        _ node: String,
        prune: Bool = false,
        token: String? = nil
    ) async throws {
        var request = RegistryRequest(
            "PUT",
            "/v1/agent/force-leave/" + RegistryRequest.encode(node)
        )
        request.flag("prune", prune)
        try await client.write(request, WriteOptions(token: token))
    }

    /// Makes the agent read its configuration files again.
    public func reload(token: String? = nil) async throws {
        try await client.write(
            RegistryRequest("PUT", "/v1/agent/reload"),
            WriteOptions(token: token)
        )
    }

    /// Gives the agent a token for its own work.
    ///
    /// - Parameters:
    ///   - use: What for: `default`, `agent`, `agent_master` or `replication`.
    ///   - secret: The token to use from now on.
    ///   - token: The token that permits this, instead of the client's.
    /// - Throws: ``MusterError``; code `forbidden` where access control is off.
    public func setToken(
        _ use: String,
        to secret: String,
        token: String? = nil
    ) async throws {
        let request = RegistryRequest(
            "PUT",
            "/v1/agent/token/" + RegistryRequest.encode(use),
            body: try MusterClient.encode(["Token": secret])
        )
        try await client.write(request, WriteOptions(token: token))
    }

    /// Takes the whole node out of service, or puts it back.
    ///
    /// - Parameters:
    ///   - enabled: Whether it is out of service.
    ///   - reason: Shown to whoever asks why.
    ///   - token: The token, instead of the client's.
    /// - Throws: ``MusterError``.
    public func setMaintenance(
        _ enabled: Bool,
        reason: String = "",
        token: String? = nil
    ) async throws {
        let request = maintenance("/v1/agent/maintenance", enabled, reason)
        try await client.write(request, WriteOptions(token: token))
    }

    /// Takes one instance out of service, or puts it back.
    ///
    /// - Parameters:
    ///   - enabled: Whether it is out of service.
    ///   - serviceID: The instance's id on this agent.
    ///   - reason: Shown to whoever asks why.
    ///   - token: The token, instead of the client's.
    /// - Throws: ``MusterError``; code `notFound` when the agent does not know the instance.
    public func setMaintenance(
        _ enabled: Bool,
        serviceID: String,
        reason: String = "",
        token: String? = nil
    ) async throws {
        let path = "/v1/agent/service/maintenance/" + RegistryRequest.encode(serviceID)
        try await client.write(maintenance(path, enabled, reason), WriteOptions(token: token))
    }

    private func read<Value: Decodable>(
        _ type: Value.Type,
        _ path: String,
        _ token: String?
    ) async throws -> Value {
        try await client.get(type, RegistryRequest(path), QueryOptions(token: token)).value
    }

    private func maintenance(_ path: String, _ enabled: Bool, _ reason: String) -> RegistryRequest {
        var request = RegistryRequest("PUT", path)
        request.add("enable", enabled ? "true" : "false")
        if !reason.isEmpty { request.add("reason", reason) }
        return request
    }
}
