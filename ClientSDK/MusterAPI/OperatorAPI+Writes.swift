extension OperatorAPI {
    /// Replaces how the cluster looks after its servers, if it is still as of `cas`.
    ///
    /// - Parameters:
    ///   - configuration: The new settings; what is empty becomes zero.
    ///   - cas: The modify index that the settings must have; nil for any.
    ///   - options: How it is sent.
    /// - Returns: False when the settings were changed meanwhile.
    /// - Throws: ``MusterError``.
    public func setAutopilotConfiguration(
        _ configuration: AutopilotConfiguration,
        cas: UInt64? = nil,
        options: WriteOptions = WriteOptions()
    ) async throws -> Bool {
        var request = RegistryRequest(
            "PUT",
            "/v1/operator/autopilot/configuration",
            body: try MusterClient.encode(configuration)
        )
        if let cas { request.query.append(("cas", String(cas))) }
        return try await client.write(request, options).body.starts(with: "true".utf8)
    }

    /// Takes a server out of the consensus by its id.
    public func removeServer(
        id: String,
        options: WriteOptions = WriteOptions()
    ) async throws {
        try await remove("id", id, options)
    }

    /// Takes a server out of the consensus by its address and port.
    public func removeServer(
        address: String,
        options: WriteOptions = WriteOptions()
    ) async throws {
        try await remove("address", address, options)
    }

    private func remove(
        _ name: String,
        _ value: String,
        _ options: WriteOptions
    ) async throws {
        var request = RegistryRequest("DELETE", "/v1/operator/raft/peer")
        request.query.append((name, value))
        _ = try await client.write(request, options)
    }

    /// Hands leadership to the server with an id, or to the one that is most up to date.
    public func transferLeadership(
        to id: String? = nil,
        options: WriteOptions = WriteOptions()
    ) async throws {
        var request = RegistryRequest("POST", "/v1/operator/raft/transfer-leader")
        if let id { request.query.append(("id", id)) }
        _ = try await client.write(request, options)
    }
}
