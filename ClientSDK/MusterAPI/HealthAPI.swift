/// Services and checks by their health: `/v1/health`.
public struct HealthAPI: Sendable {
    let client: MusterClient
}

extension MusterClient {
    /// Services and checks by their health.
    public var health: HealthAPI { HealthAPI(client: self) }
}

extension HealthAPI {
    /// The instances of a service with their nodes and checks.
    ///
    /// - Parameters:
    ///   - name: The service's name.
    ///   - tags: The tags an instance must have, all of them.
    ///   - passing: Whether only instances are listed whose checks all pass.
    ///   - options: How it is asked.
    /// - Returns: The instances, empty when there is none.
    /// - Throws: ``MusterError``.
    public func service(
        _ name: String,
        tags: [String] = [],
        passing: Bool = false,
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<[ServiceEntry]> {
        try await list("service", name, tags, passing, options)
    }

    /// The instances that can be reached through Connect as this service.
    ///
    /// - Parameters:
    ///   - name: The service's name.
    ///   - tags: The tags an instance must have, all of them.
    ///   - passing: Whether only instances are listed whose checks all pass.
    ///   - options: How it is asked.
    /// - Returns: The instances, empty when there is none.
    /// - Throws: ``MusterError``.
    public func connect(
        _ name: String,
        tags: [String] = [],
        passing: Bool = false,
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<[ServiceEntry]> {
        try await list("connect", name, tags, passing, options)
    }

    /// The instances of the ingress gateways that lead to a service.
    ///
    /// - Parameters:
    ///   - name: The service's name.
    ///   - passing: Whether only instances are listed whose checks all pass.
    ///   - options: How it is asked.
    /// - Returns: The gateways' instances, empty when there is none.
    /// - Throws: ``MusterError``.
    public func ingress(
        _ name: String,
        passing: Bool = false,
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<[ServiceEntry]> {
        try await list("ingress", name, [], passing, options)
    }

    /// The checks of a node and of its instances.
    public func node(
        _ name: String,
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<[HealthCheck]> {
        try await client.get(
            [HealthCheck].self,
            RegistryRequest("/v1/health/node/" + RegistryRequest.encode(name)),
            options
        )
    }

    /// The checks of a service's instances, without those of their nodes.
    public func checks(
        service name: String,
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<[HealthCheck]> {
        try await client.get(
            [HealthCheck].self,
            RegistryRequest("/v1/health/checks/" + RegistryRequest.encode(name)),
            options
        )
    }

    /// The checks in a state; nil lists all.
    public func state(
        _ status: CheckStatus?,
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<[HealthCheck]> {
        let word = status.map { RegistryRequest.encode($0.rawValue) } ?? "any"
        return try await client.get(
            [HealthCheck].self,
            RegistryRequest("/v1/health/state/" + word),
            options
        )
    }

    private func list(
        _ kind: String,
        _ name: String,
        _ tags: [String],
        _ passing: Bool,
        _ options: QueryOptions
    ) async throws -> Response<[ServiceEntry]> {
        var request = RegistryRequest("/v1/health/\(kind)/" + RegistryRequest.encode(name))
        for tag in tags { request.add("tag", tag) }
        if passing { request.add("passing", "1") }
        let line = "GET \(request.path)"
        return try await client.found(request, options).map { reply in
            do {
                return try HealthEntryDecoder.entries(reply.body)
            } catch var error as MusterError {
                error.request = line
                throw error
            }
        }
    }
}
