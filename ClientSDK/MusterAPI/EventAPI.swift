/// User events, which spread to all agents: `/v1/event`.
public struct EventAPI: Sendable {
    let client: MusterClient
}

extension MusterClient {
    /// User events, which spread to all agents.
    public var event: EventAPI { EventAPI(client: self) }
}

extension EventAPI {
    /// Fires an event.
    ///
    /// - Parameters:
    ///   - name: The event's name.
    ///   - payload: What it carries; keep it below 100 bytes.
    ///   - node: A regular expression that receiving nodes must match.
    ///   - service: A regular expression that a service on them must match.
    ///   - tag: A regular expression that a tag of that service must match.
    ///   - options: How the write is asked for.
    /// - Returns: The event with its id.
    /// - Throws: ``MusterError``.
    public func fire(
        _ name: String,
        payload: [UInt8] = [],
        node: String? = nil,
        service: String? = nil,
        tag: String? = nil,
        options: WriteOptions = WriteOptions()
    ) async throws -> UserEvent {
        var request = RegistryRequest("PUT", "/v1/event/fire/" + RegistryRequest.encode(name))
        request.body = payload.isEmpty ? nil : payload
        request.add("node", node)
        request.add("service", service)
        request.add("tag", tag)
        let reply = try await client.write(request, options)
        return try MusterClient.decode(UserEvent.self, from: reply, request)
    }

    /// The newest events this agent has seen, oldest first.
    ///
    /// The index is a hash of the newest event's id, not a counter.
    ///
    /// - Parameters:
    ///   - name: Only events of this name; nil lists all.
    ///   - options: How it is asked.
    /// - Returns: The events.
    /// - Throws: ``MusterError``.
    public func list(
        name: String? = nil,
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<[UserEvent]> {
        var request = RegistryRequest("/v1/event/list")
        request.add("name", name)
        return try await client.get([UserEvent].self, request, options)
    }
}
