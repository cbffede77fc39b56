extension RouteTable {
    /// Every route of the HTTP API: the registry's own, and those that the agent adds.
    package static func standard(for services: APIServices) -> RouteTable {
        var table = RouteTable(blockedEndpoints: services.settings.blockedEndpoints)
        services.agent.addRoutes(to: &table)
        table.addCatalogRoutes()
        table.addHealthRoutes()
        table.addKeyValueRoutes()
        table.addTransactionRoutes()
        table.addSessionRoutes()
        table.addCoordinateRoutes()
        table.addStatusRoutes()
        table.addOperatorRoutes()
        table.addRaftPeerRoutes()
        table.addInternalUIRoutes()
        table.addAccessControlRoutes()
        table.addSnapshotRoutes()
        table.addUnservedRoutes()
        return table
    }
}
