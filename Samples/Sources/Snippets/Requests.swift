import MusterAPI

/// The client's article.
func readAndWrite() async throws {
    var settings = try ClientConfiguration.fromEnvironment()
    settings.requestTimeout = .seconds(5)
    try await MusterClient.withClient(settings) { registry in
        try await registry.keyValue.put("config/orders/limit", "100")
        guard let pair = try await registry.keyValue.get("config/orders/limit").value else {
            return
        }
        let isOurs = try await registry.keyValue.put(
            pair.key,
            "200",
            if: .unchanged(since: pair.modifyIndex)
        )
        print(isOurs ? "changed" : "somebody else was faster")
    }
}

/// Blocking, consistency and what the answer says of itself.
func waitForChange(_ registry: MusterClient) async throws {
    let known = try await registry.health.service("orders", passing: true)
    var options = QueryOptions()
    options.index = known.index
    options.wait = .seconds(60)
    options.consistency = .stale
    let next = try await registry.health.service("orders", passing: true, options: options)
    print(next.value.count, next.index, next.lastContact)
}

/// What an error says.
func explain(_ registry: MusterClient) async {
    do {
        try await registry.agent.deregister(serviceID: "orders-1")
    } catch let error as MusterError where error.code == .notFound {
        print("it was not registered")
    } catch {
        print(error)
    }
}
