import MusterAPI
import MusterBalancing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Turns values into the registry's JSON and back.
enum JSONText {
    /// The value as JSON; the models of this package always can be written.
    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        do {
            return [UInt8](try encoder.encode(value))
        } catch {
            preconditionFailure("\(type(of: value)) cannot be written as JSON: \(error)")
        }
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        try JSONDecoder().decode(type, from: Data(bytes))
    }
}

extension Instance {
    /// The instance as the registry's health endpoint lists it.
    func entry(of service: String) -> ServiceEntry {
        var node = CatalogNode(node: id.node, address: endpoint.host)
        node.datacenter = datacenter
        let described = AgentService(
            id: id.serviceID,
            name: service,
            tags: tags,
            meta: zone.map { meta.merging(["zone": $0]) { old, _ in old } } ?? meta,
            port: Int(endpoint.port),
            address: endpoint.host,
            weights: ServiceWeights(
                passing: Int(clamping: weight),
                warning: Int(clamping: weight)
            )
        )
        let inMaintenance = health == .maintenance
        let check = HealthCheck(
            node: id.node,
            checkID: inMaintenance
                ? "_service_maintenance:\(id.serviceID)" : "service:\(id.serviceID)",
            name: "Health",
            status: inMaintenance ? .critical : CheckStatus(rawValue: "\(health)"),
            serviceID: id.serviceID,
            serviceName: service,
            serviceTags: tags
        )
        return ServiceEntry(node: node, service: described, checks: [check])
    }
}
