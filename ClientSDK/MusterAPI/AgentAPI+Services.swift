extension AgentAPI {
    /// The instances registered with this agent, by id.
    public func services(
        filter: String? = nil,
        token: String? = nil
    ) async throws -> [String: AgentService] {
        try await client.get(
            [String: AgentService].self,
            RegistryRequest("/v1/agent/services"),
            QueryOptions(token: token, filter: filter)
        ).value
    }

    /// One instance of this agent; blocks by hash when the options say so.
    ///
    /// - Parameters:
    ///   - id: The instance's id.
    ///   - options: How it is asked.
    /// - Returns: The instance, nil when the agent does not know it.
    /// - Throws: ``MusterError``.
    public func service(
        _ id: String,
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<AgentService?> {
        try await client.find(
            AgentService.self,
            RegistryRequest("/v1/agent/service/" + RegistryRequest.encode(id)),
            options
        )
    }

    /// Registers an instance, or replaces what was registered under its id.
    ///
    /// - Parameters:
    ///   - registration: The instance.
    ///   - replaceExistingChecks: Whether checks that the registration does not have are removed;
    ///     without it they stay from an earlier registration.
    ///   - token: The token to register with, instead of the client's.
    /// - Throws: ``MusterError``.
    public func register(
        _ registration: ServiceRegistration,
        replaceExistingChecks: Bool = true,
        token: String? = nil
    ) async throws {
        var request = RegistryRequest(
            "PUT",
            "/v1/agent/service/register",
            body: try MusterClient.encode(registration)
        )
        if replaceExistingChecks { request.add("replace-existing-checks", "true") }
        try await client.write(request, WriteOptions(token: token))
    }

    /// Removes an instance and its checks; an unknown id is not an error on every server.
    ///
    /// - Parameters:
    ///   - serviceID: The instance's id.
    ///   - token: The token, instead of the client's.
    /// - Throws: ``MusterError``.
    public func deregister(serviceID: String, token: String? = nil) async throws {
        try await client.write(
            RegistryRequest(
                "PUT",
                "/v1/agent/service/deregister/" + RegistryRequest.encode(serviceID)
            ),
            WriteOptions(token: token)
        )
    }

    /// The health of one instance of this agent.
    ///
    /// - Parameters:
    ///   - id: The instance's id.
    ///   - token: The token, instead of the client's.
    /// - Returns: Its health, nil when the agent does not know it.
    /// - Throws: ``MusterError``.
    public func health(
        serviceID id: String,
        token: String? = nil
    ) async throws -> AgentServiceHealth? {
        var request = RegistryRequest("/v1/agent/health/service/id/" + RegistryRequest.encode(id))
        request.token = token
        return try await health(AgentServiceHealth.self, request)
    }

    /// The health of this agent's instances of a service.
    ///
    /// - Parameters:
    ///   - name: The service's name.
    ///   - token: The token, instead of the client's.
    /// - Returns: Their health, empty when there is none.
    /// - Throws: ``MusterError``.
    public func health(
        serviceName name: String,
        token: String? = nil
    ) async throws -> [AgentServiceHealth] {
        var request = RegistryRequest(
            "/v1/agent/health/service/name/" + RegistryRequest.encode(name)
        )
        request.token = token
        return try await health([AgentServiceHealth].self, request) ?? []
    }

    /// Asks for health: the status says passing (200), warning (429) or critical (503).
    private func health<Value: Decodable>(
        _ type: Value.Type,
        _ request: RegistryRequest
    ) async throws -> Value? {
        var request = request
        request.answersWithAnyStatus = true
        let reply = try await client.send(request)
        switch reply.status {
        case 200, 429, 503: return try MusterClient.decode(type, from: reply, request)
        case 404: return nil
        default:
            throw MusterError.refused(
                status: reply.status,
                body: reply.body,
                request: "GET \(request.path)"
            )
        }
    }
}
