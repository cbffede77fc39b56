import MusterAPI
import MusterBalancing

extension Instance {
    /// Reads an instance from the registry's entry.
    ///
    /// Nil when it has no usable address. An empty service address means the node's; the weight is
    /// the one that counts for the instance's health.
    init?(_ entry: ServiceEntry, zoneKey: String) {
        let service = entry.service
        let host = service.address.isEmpty ? entry.node.address : service.address
        guard let port = UInt16(exactly: service.port),
            let endpoint = ServiceEndpoint(host: host, port: port)
        else { return nil }
        let health: Health =
            switch entry.aggregatedStatus {
            case .passing: .passing
            case .warning: .warning
            case .maintenance: .maintenance
            default: .critical
            }
        let weights = service.weights ?? ServiceWeights()
        let weight = health == .warning ? weights.warning : weights.passing
        self.init(
            id: InstanceID(node: entry.node.node, serviceID: service.id),
            endpoint: endpoint,
            weight: UInt32(clamping: weight),
            health: health,
            tags: service.tags,
            meta: service.meta,
            datacenter: entry.node.datacenter,
            zone: service.meta[zoneKey] ?? entry.node.meta[zoneKey]
        )
    }
}
