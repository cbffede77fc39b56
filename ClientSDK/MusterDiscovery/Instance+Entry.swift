import MusterAPI
import MusterBalancing

extension Instance {
    /// Reads an instance from the registry's entry.
    ///
    /// Nil when it has no usable address. An empty service address means the node's; the weight is
    /// the one that counts for the instance's health.
    init?(_ entry: HealthInstance, zoneKey: String) {
        let host = entry.address.isEmpty ? entry.nodeAddress : entry.address
        guard let port = UInt16(exactly: entry.port),
            let endpoint = ServiceEndpoint(host: host, port: port)
        else { return nil }
        let health: Health =
            switch entry.status {
            case .passing: .passing
            case .warning: .warning
            case .maintenance: .maintenance
            default: .critical
            }
        let weights = entry.weights ?? ServiceWeights()
        let weight = health == .warning ? weights.warning : weights.passing
        self.init(
            id: InstanceID(node: entry.node, serviceID: entry.serviceID),
            endpoint: endpoint,
            weight: UInt32(clamping: weight),
            health: health,
            tags: entry.tags,
            meta: entry.meta,
            datacenter: entry.datacenter,
            zone: entry.meta[zoneKey] ?? entry.nodeMeta[zoneKey]
        )
    }
}
