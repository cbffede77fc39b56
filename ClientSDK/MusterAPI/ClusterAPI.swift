/// Network coordinates: `/v1/coordinate`.
public struct CoordinateAPI: Sendable {
    let client: MusterClient
}

/// The state of the cluster's consensus: `/v1/status`.
public struct StatusAPI: Sendable {
    let client: MusterClient
}

/// What operators look at and change: `/v1/operator`.
public struct OperatorAPI: Sendable {
    let client: MusterClient
}

extension MusterClient {
    /// Network coordinates.
    public var coordinate: CoordinateAPI { CoordinateAPI(client: self) }

    /// The state of the cluster's consensus.
    public var status: StatusAPI { StatusAPI(client: self) }

    /// What operators look at and change.
    public var operations: OperatorAPI { OperatorAPI(client: self) }
}

extension CoordinateAPI {
    /// The coordinates of the servers of all datacenters.
    public func datacenters() async throws -> [DatacenterCoordinates] {
        try await client.get(
            [DatacenterCoordinates].self,
            RegistryRequest("/v1/coordinate/datacenters"),
            QueryOptions()
        ).value
    }

    /// The coordinates of the nodes.
    public func nodes(
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<[CoordinateEntry]> {
        try await client.get(
            [CoordinateEntry].self,
            RegistryRequest("/v1/coordinate/nodes"),
            options
        )
    }

    /// The coordinates of one node, empty when none is known.
    public func node(
        _ name: String,
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<[CoordinateEntry]> {
        try await client.find(
            [CoordinateEntry].self,
            RegistryRequest("/v1/coordinate/node/" + RegistryRequest.encode(name)),
            options
        ).map { $0 ?? [] }
    }

    /// Writes a node's coordinate.
    public func update(
        _ entry: CoordinateEntry,
        options: WriteOptions = WriteOptions()
    ) async throws {
        let body = try MusterClient.encode(entry)
        try await client.write(
            RegistryRequest("PUT", "/v1/coordinate/update", body: body),
            options
        )
    }
}

extension StatusAPI {
    /// Address and port of the leader, empty when there is none.
    public func leader(datacenter: String? = nil) async throws -> String {
        try await client.get(
            String.self,
            RegistryRequest("/v1/status/leader"),
            QueryOptions(datacenter: datacenter)
        ).value
    }

    /// Addresses and ports of the servers.
    public func peers(datacenter: String? = nil) async throws -> [String] {
        try await client.get(
            [String].self,
            RegistryRequest("/v1/status/peers"),
            QueryOptions(datacenter: datacenter)
        ).value
    }
}

extension OperatorAPI {
    /// The servers that take part in consensus.
    public func raftConfiguration(
        options: QueryOptions = QueryOptions()
    ) async throws -> RaftConfiguration {
        try await client.get(
            RaftConfiguration.self,
            RegistryRequest("/v1/operator/raft/configuration"),
            options
        ).value
    }

    /// How the cluster looks after its servers.
    public func autopilotConfiguration(
        options: QueryOptions = QueryOptions()
    ) async throws -> AutopilotConfiguration {
        try await client.get(
            AutopilotConfiguration.self,
            RegistryRequest("/v1/operator/autopilot/configuration"),
            options
        ).value
    }

    /// The health of the servers; an unhealthy cluster is an answer, too.
    public func autopilotHealth() async throws -> AutopilotHealth {
        var request = RegistryRequest("/v1/operator/autopilot/health")
        request.answersWithAnyStatus = true
        let reply = try await client.send(request)
        guard reply.isSuccess || (reply.status == 429 && !reply.body.isEmpty) else {
            throw MusterError.refused(
                status: reply.status,
                body: reply.body,
                request: "GET \(request.path)"
            )
        }
        return try MusterClient.decode(AutopilotHealth.self, from: reply, request)
    }

    /// The state of the servers as newer versions of Consul tell it, in the server's own shape.
    ///
    /// - Returns: The state.
    /// - Throws: ``MusterError``; code `notFound` from a Consul before 1.9.
    public func autopilotState() async throws -> JSONValue {
        let request = RegistryRequest("/v1/operator/autopilot/state")
        return try await client.get(JSONValue.self, request, QueryOptions()).value
    }
}
