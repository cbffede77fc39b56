/// The catalog of nodes and services: `/v1/catalog`.
public struct CatalogAPI: Sendable {
    let client: MusterClient
}

extension MusterClient {
    /// The catalog of nodes and services.
    public var catalog: CatalogAPI { CatalogAPI(client: self) }
}

extension CatalogAPI {
    /// The datacenters known, nearest first.
    public func datacenters() async throws -> [String] {
        try await client.get(
            [String].self,
            RegistryRequest("/v1/catalog/datacenters"),
            QueryOptions()
        ).value
    }

    /// The nodes.
    public func nodes(
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<
        [CatalogNode]
    > {
        try await client.get([CatalogNode].self, RegistryRequest("/v1/catalog/nodes"), options)
    }

    /// The names of the services, each with all tags its instances have.
    public func services(
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<[String: [String]]> {
        try await client.get(
            [String: [String]].self,
            RegistryRequest("/v1/catalog/services"),
            options
        )
    }

    /// The instances of a service, whatever their health.
    ///
    /// - Parameters:
    ///   - name: The service's name.
    ///   - tags: The tags an instance must have, all of them.
    ///   - options: How it is asked.
    /// - Returns: The instances, empty when there is none.
    /// - Throws: ``MusterError``.
    public func service(
        _ name: String,
        tags: [String] = [],
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<[CatalogService]> {
        try await client.get([CatalogService].self, list("service", name, tags), options)
    }

    /// The instances that can be reached through Connect as this service.
    ///
    /// - Parameters:
    ///   - name: The service's name.
    ///   - tags: The tags an instance must have, all of them.
    ///   - options: How it is asked.
    /// - Returns: The instances, empty when there is none.
    /// - Throws: ``MusterError``.
    public func connect(
        _ name: String,
        tags: [String] = [],
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<[CatalogService]> {
        try await client.get([CatalogService].self, list("connect", name, tags), options)
    }

    /// A node and its instances by id, nil when there is no such node.
    public func node(
        _ name: String,
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<NodeServices?> {
        try await client.find(
            NodeServices.self,
            RegistryRequest("/v1/catalog/node/" + RegistryRequest.encode(name)),
            options
        )
    }

    /// A node and its instances as a list, nil when there is no such node.
    public func nodeServices(
        _ name: String,
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<NodeServiceList?> {
        try await client.find(
            NodeServiceList.self,
            RegistryRequest("/v1/catalog/node-services/" + RegistryRequest.encode(name)),
            options
        )
    }

    /// The services that a gateway stands for.
    ///
    /// - Parameters:
    ///   - gateway: The gateway's service name.
    ///   - options: How it is asked.
    /// - Returns: What the gateway serves, in the server's own shape; empty when there is none.
    /// - Throws: ``MusterError``.
    public func gatewayServices(
        _ gateway: String,
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<[JSONValue]> {
        let path = "/v1/catalog/gateway-services/" + RegistryRequest.encode(gateway)
        return try await client.find([JSONValue].self, RegistryRequest(path), options)
            .map { $0 ?? [] }
    }

    /// Writes a node, an instance or checks straight into the catalog.
    public func register(
        _ registration: CatalogRegistration,
        options: WriteOptions = WriteOptions()
    ) async throws {
        let body = try MusterClient.encode(registration)
        try await client.write(RegistryRequest("PUT", "/v1/catalog/register", body: body), options)
    }

    /// Removes a node, an instance or a check straight from the catalog.
    public func deregister(
        _ deregistration: CatalogDeregistration,
        options: WriteOptions = WriteOptions()
    ) async throws {
        let body = try MusterClient.encode(deregistration)
        try await client.write(
            RegistryRequest("PUT", "/v1/catalog/deregister", body: body),
            options
        )
    }

    private func list(_ kind: String, _ name: String, _ tags: [String]) -> RegistryRequest {
        var request = RegistryRequest("/v1/catalog/\(kind)/" + RegistryRequest.encode(name))
        for tag in tags { request.add("tag", tag) }
        return request
    }
}
