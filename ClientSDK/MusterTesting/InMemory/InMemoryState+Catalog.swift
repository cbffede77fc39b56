import MusterAPI

extension InMemoryState {
    func readCatalog(_ request: InMemoryRequest) throws -> ScriptedReply? {
        switch request.path {
        case "catalog/datacenters": return ScriptedReply(200, #"["\#(Self.datacenter)"]"#)
        case "catalog/nodes":
            return ScriptedReply(
                index: lastChange(.nodes),
                bytes: JSONText.encode([catalogNode])
            )
        case "catalog/services":
            var tags: [String: Set<String>] = ["consul": []]
            for service in services.values {
                tags[service.name, default: []].formUnion(service.tags)
            }
            return ScriptedReply(
                index: lastChange(.services),
                bytes: JSONText.encode(tags.mapValues { $0.sorted() })
            )
        case "status/leader": return ScriptedReply(200, "\"\(Self.address):8300\"")
        case "status/peers": return ScriptedReply(200, "[\"\(Self.address):8300\"]")
        default: break
        }
        if let name = request.rest(after: "health/service/") {
            return try healthService(name, request)
        }
        if let name = request.rest(after: "health/checks/") {
            let list = checks.values.map(\.value).filter { $0.serviceName == name }
            return reply(checks: list, index: lastChange(.service(name)))
        }
        if let status = request.rest(after: "health/state/") {
            let list = checks.values.map(\.value)
                .filter { status == "any" || $0.status.rawValue == status }
            return reply(checks: list, index: lastChange(.checks))
        }
        if let name = request.rest(after: "catalog/service/") {
            return catalogService(name, request)
        }
        return nil
    }

    private func healthService(
        _ name: String,
        _ request: InMemoryRequest
    ) throws -> ScriptedReply {
        let filter = try InMemoryFilter(request["filter"] ?? "")
        var entries = instances(of: name, tags: request.all("tag")).compactMap { entry(of: $0.id) }
        entries = entries.filter { filter.fits($0.service) }
        if request.has("passing") { entries = entries.filter { $0.aggregatedStatus == .passing } }
        return ScriptedReply(
            index: lastChange(.service(name)),
            bytes: JSONText.encode(entries)
        )
    }

    private func catalogService(_ name: String, _ request: InMemoryRequest) -> ScriptedReply {
        let list = instances(of: name, tags: request.all("tag")).map { service in
            var listed = CatalogService()
            listed.node = Self.node
            listed.address = Self.address
            listed.datacenter = Self.datacenter
            listed.serviceID = service.id
            listed.serviceName = service.name
            listed.serviceTags = service.tags
            listed.serviceAddress = service.address
            listed.servicePort = service.port
            listed.serviceMeta = service.meta
            listed.serviceWeights = service.weights
            listed.createIndex = service.createIndex
            listed.modifyIndex = service.modifyIndex
            return listed
        }
        return ScriptedReply(index: lastChange(.service(name)), bytes: JSONText.encode(list))
    }

    private func reply(checks: [HealthCheck], index: UInt64) -> ScriptedReply {
        ScriptedReply(
            index: index,
            bytes: JSONText.encode(checks.sorted { $0.checkID < $1.checkID })
        )
    }

    private func instances(of name: String, tags: [String]) -> [AgentService] {
        services.values
            .filter { $0.name == name && Set($0.tags).isSuperset(of: tags) }
            .sorted { $0.id < $1.id }
    }

    private var catalogNode: CatalogNode {
        CatalogNode(node: Self.node, address: Self.address, datacenter: Self.datacenter)
    }

    /// An instance with the checks that count for it: its own and the node's.
    func entry(of serviceID: String) -> ServiceEntry? {
        guard let service = services[serviceID] else { return nil }
        let own = checks.values.map(\.value)
            .filter { $0.serviceID == serviceID || $0.serviceID.isEmpty }
            .sorted { $0.checkID < $1.checkID }
        let alive = HealthCheck(
            node: Self.node,
            checkID: "serfHealth",
            name: "Serf Health Status",
            status: .passing,
            output: "Agent alive and reachable"
        )
        return ServiceEntry(node: catalogNode, service: service, checks: [alive] + own)
    }
}
