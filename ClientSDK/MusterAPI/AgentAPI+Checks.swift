/// A check as its own endpoint reads it: its id is called `ID` there, and `CheckID` is refused.
private struct StandaloneCheck: Encodable {
    private enum Key: String, CodingKey { case id = "ID" }

    let check: CheckDefinition

    func encode(to encoder: any Encoder) throws {
        var nameless = check
        nameless.id = ""
        try nameless.encode(to: encoder)
        var members = encoder.container(keyedBy: Key.self)
        if !check.id.isEmpty { try members.encode(check.id, forKey: .id) }
    }
}

extension AgentAPI {
    /// The checks registered with this agent, by id.
    public func checks(
        filter: String? = nil,
        token: String? = nil
    ) async throws -> [String: HealthCheck] {
        try await client.get(
            [String: HealthCheck].self,
            RegistryRequest("/v1/agent/checks"),
            QueryOptions(token: token, filter: filter)
        ).value
    }

    /// Registers a check of the node, or of the instance that its `serviceID` names.
    public func register(check: CheckDefinition, token: String? = nil) async throws {
        try await client.write(
            RegistryRequest(
                "PUT",
                "/v1/agent/check/register",
                body: try MusterClient.encode(StandaloneCheck(check: check))
            ),
            WriteOptions(token: token)
        )
    }

    /// Removes a check.
    public func deregister(checkID: String, token: String? = nil) async throws {
        try await client.write(
            RegistryRequest("PUT", "/v1/agent/check/deregister/" + RegistryRequest.encode(checkID)),
            WriteOptions(token: token)
        )
    }

    /// Reports the state of a TTL check.
    ///
    /// - Parameters:
    ///   - checkID: The check's id.
    ///   - status: Its state: passing, warning or critical.
    ///   - output: What it says; keep it constant, because a changed text is written to the
    ///     catalog and wakes everyone who watches the service. One that is too long for a line of
    ///     a request is sent in its body.
    ///   - token: The token, instead of the client's.
    /// - Throws: ``MusterError``; ``MusterError/saysUnknownCheck`` tells that the agent does not
    ///   know the check, as after its restart.
    public func update(
        checkID: String,
        status: CheckStatus,
        output: String = "",
        token: String? = nil
    ) async throws {
        guard output.utf8.count <= Limits.noteBytes else {
            let report = ["Status": status.rawValue, "Output": output]
            let path = "/v1/agent/check/update/" + RegistryRequest.encode(checkID)
            try await client.write(
                RegistryRequest("PUT", path, body: try MusterClient.encode(report)),
                WriteOptions(token: token)
            )
            return
        }
        let verb =
            switch status {
            case .passing: "pass"
            case .warning: "warn"
            default: "fail"
            }
        var request = RegistryRequest(
            "PUT",
            "/v1/agent/check/\(verb)/" + RegistryRequest.encode(checkID)
        )
        if !output.isEmpty { request.add("note", output) }
        try await client.write(request, WriteOptions(token: token))
    }
}

extension MusterError {
    /// Whether the agent says that it does not know the TTL check that was reported.
    ///
    /// Consul 1.8 says so with status 500, newer ones with 404.
    public var saysUnknownCheck: Bool {
        if status == 404 { return true }
        return status == 500
            && (body.contains("does not have associated TTL") || body.contains("Unknown check"))
    }
}
