/// Sessions, which hold locks: `/v1/session`.
public struct SessionAPI: Sendable {
    let client: MusterClient
}

extension MusterClient {
    /// Sessions, which hold locks.
    public var session: SessionAPI { SessionAPI(client: self) }
}

extension SessionAPI {
    private struct Created: Codable {
        var id: String

        enum CodingKeys: String, CodingKey { case id = "ID" }
    }

    /// Creates a session and returns its id.
    public func create(
        _ session: SessionRequest = SessionRequest(),
        options: WriteOptions = WriteOptions()
    ) async throws -> String {
        let request = RegistryRequest(
            "PUT",
            "/v1/session/create",
            body: try MusterClient.encode(session)
        )
        let reply = try await client.write(request, options)
        return try MusterClient.decode(Created.self, from: reply, request).id
    }

    /// Ends a session; its locks are given up at once.
    public func destroy(_ id: String, options: WriteOptions = WriteOptions()) async throws {
        try await client.write(
            RegistryRequest("PUT", "/v1/session/destroy/" + RegistryRequest.encode(id)),
            options
        )
    }

    /// Renews a session that has a TTL.
    ///
    /// - Parameters:
    ///   - id: The session's id.
    ///   - options: How the write is asked for.
    /// - Returns: The session; the server may have lengthened its TTL.
    /// - Throws: ``MusterError``; code `notFound` when the session is gone.
    public func renew(
        _ id: String,
        options: WriteOptions = WriteOptions()
    ) async throws -> SessionEntry {
        let path = "/v1/session/renew/" + RegistryRequest.encode(id)
        let request = RegistryRequest("PUT", path)
        let reply = try await client.write(request, options)
        guard let session = try MusterClient.decode([SessionEntry].self, from: reply, request).first
        else {
            throw MusterError(code: .notFound, message: "session \(id) is gone", request: path)
        }
        return session
    }

    /// A session, nil when it is gone.
    public func info(
        _ id: String,
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<SessionEntry?> {
        try await client.find(
            [SessionEntry].self,
            RegistryRequest("/v1/session/info/" + RegistryRequest.encode(id)),
            options
        ).map { $0?.first }
    }

    /// The sessions of a node.
    public func node(
        _ name: String,
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<[SessionEntry]> {
        try await client.get(
            [SessionEntry].self,
            RegistryRequest("/v1/session/node/" + RegistryRequest.encode(name)),
            options
        )
    }

    /// All sessions.
    public func list(
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<[SessionEntry]> {
        try await client.get([SessionEntry].self, RegistryRequest("/v1/session/list"), options)
    }
}
