package import Filter
package import Model

/// A node, as filters see it.
struct NodeSubject: FilterSubject {
    let node: Node

    func filterField(_ name: String) -> FilterValue? {
        switch name {
        case "ID": .string(node.id)
        case "Node": .string(node.name)
        case "Address": .string(node.address)
        case "Datacenter": .string(node.datacenter)
        case "TaggedAddresses": .map(node.taggedAddresses ?? [:])
        case "Meta": .map(node.meta ?? [:])
        default: nil
        }
    }
}

/// A service of a node, as filters see it; also of an agent.
package struct ServiceSubject: FilterSubject {
    let service: CatalogService

    package init(_ service: CatalogService) {
        self.service = service
    }

    package func filterField(_ name: String) -> FilterValue? {
        switch name {
        case "Kind": .string(service.kind.rawValue)
        case "ID": .string(service.id)
        case "Service": .string(service.name)
        case "Tags": .strings(service.tags ?? [])
        case "Address": .string(service.address)
        case "TaggedAddresses": .structures(service.taggedAddressSubjects)
        case "Meta": .map(service.meta ?? [:])
        case "Port": .integer(Int64(service.port))
        case "Weights":
            .structure(WeightsSubject(weights: service.weights ?? Weights(passing: 1, warning: 1)))
        case "EnableTagOverride": .bool(service.enableTagOverride)
        case "Proxy": .structure(ProxySubject(proxy: service.proxy))
        case "Connect": .structure(ConnectSubject(connect: service.connect))
        default: nil
        }
    }
}

/// A service with its node, as filters of `catalog/service` see them.
struct ServiceNodeSubject: FilterSubject {
    let node: Node
    let service: CatalogService

    func filterField(_ name: String) -> FilterValue? {
        switch name {
        case "NodeMeta": return .map(node.meta ?? [:])
        case "ServiceName": return .string(service.name)
        case let name where name.hasPrefix("Service"):
            return ServiceSubject(service).filterField(String(name.dropFirst("Service".count)))
        case "Meta": return nil
        default: return NodeSubject(node: node).filterField(name)
        }
    }
}

/// A check, as filters see it; also of an agent.
package struct CheckSubject: FilterSubject {
    let check: HealthCheck

    package init(_ check: HealthCheck) {
        self.check = check
    }

    package func filterField(_ name: String) -> FilterValue? {
        switch name {
        case "Node": .string(check.node)
        case "CheckID": .string(check.id)
        case "Name": .string(check.name)
        case "Status": .string(check.status.rawValue)
        case "Notes": .string(check.notes)
        case "Output": .string(check.output)
        case "ServiceID": .string(check.serviceID)
        case "ServiceName": .string(check.serviceName)
        case "ServiceTags": .strings(check.serviceTags ?? [])
        case "Type": .string(check.type)
        default: nil
        }
    }
}

/// An entry of `health/service`, as filters see it.
struct InstanceSubject: FilterSubject {
    let node: Node
    let service: CatalogService
    let checks: [HealthCheck]

    func filterField(_ name: String) -> FilterValue? {
        switch name {
        case "Node": .structure(NodeSubject(node: node))
        case "Service": .structure(ServiceSubject(service))
        case "Checks": .list(checks.map { CheckSubject($0) })
        default: nil
        }
    }
}

/// An entry of `internal/ui/nodes`, as filters see it.
struct NodeDetailsSubject: FilterSubject {
    let node: Node
    let services: [CatalogService]
    let checks: [HealthCheck]

    func filterField(_ name: String) -> FilterValue? {
        switch name {
        case "Services": .list(services.map { ServiceSubject($0) })
        case "Checks": .list(checks.map { CheckSubject($0) })
        default: NodeSubject(node: node).filterField(name)
        }
    }
}
