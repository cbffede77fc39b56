package import Model
import Wire

/// A service instance as the store keeps it: what queries decide by, and its JSON.
///
/// One word; copies share.
package struct ServiceRecord: Sendable {
    struct Header: Sendable {
        let nodeName: NodeName
        let name: ServiceName
        let tags: [String]
        let address: String
        /// What the instance offers through the mesh; nil outside it.
        let mesh: MeshRole?
        let indexes: RecordIndexes
        let port: Int
        let passingWeight: Int32
        let warningWeight: Int32
        let id: StoredID
        let jsonLength: UInt32
        let hasTags: Bool
        let isSidecar: Bool
    }

    let storage: RecordStorage<Header>

    init(_ service: borrowing CatalogService, json: [UInt8], identity: ServiceIdentity) {
        let id = StoredID(service.id, folded: identity.foldedID)
        let weights = service.weights ?? Weights(passing: 1, warning: 1)
        let header = Header(
            nodeName: identity.nodeName,
            name: identity.name,
            tags: identity.tags,
            address: service.address,
            mesh: MeshRole(service),
            indexes: service.indexes,
            port: service.port,
            passingWeight: Int32(clamping: weights.passing),
            warningWeight: Int32(clamping: weights.warning),
            id: id,
            jsonLength: UInt32(truncatingIfNeeded: json.count),
            hasTags: identity.hasTags,
            isSidecar: identity.isSidecar
        )
        storage = RecordStorage(header, count: id.byteCount + json.count) { bytes in
            id.write(service.id, folded: identity.foldedID, to: bytes)
            json.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: bytes[id.byteCount...]).copyMemory(from: $0)
            }
        }
    }

    package var id: String { storage.text(from: 0, count: Int(storage.header.id.length)) }
    package var name: String { storage.header.name.name }
    package var tags: [String] { storage.header.tags }
    /// Empty means the node's address.
    package var address: String { storage.header.address }
    package var port: Int { storage.header.port }
    package var kind: ServiceKind { storage.header.mesh?.kind ?? .typical }
    package var indexes: RecordIndexes { storage.header.indexes }

    /// Weights beyond 2³¹ − 1 are cut.
    package var weights: Weights {
        let header = storage.header
        return Weights(passing: Int(header.passingWeight), warning: Int(header.warningWeight))
    }

    /// Lends the object that `NodeService` stands for in `health/service` replies.
    package func withJSON<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let header = storage.header
        return storage.withBytes(
            from: header.id.byteCount,
            count: Int(header.jsonLength),
            body
        )
    }

    /// The whole service, decoded from its JSON: microseconds, for filters and other rare needs.
    package var service: CatalogService {
        var service = withJSON { Fragment.decodeService($0) } ?? CatalogService()
        if !storage.header.hasTags {
            service.tags = nil
        }
        service.locallyRegisteredAsSidecar = storage.header.isSidecar
        return service
    }

    /// Whether the instance has every one of these tags, in any letter case.
    ///
    /// - Source: Consul: GET /v1/health/service/:service?tag=
    package func hasTags(_ wanted: [String]) -> Bool {
        wanted.allSatisfy { tag in
            tags.contains { Bytes.equal($0, tag) || Bytes.equal($0.folded, tag.folded) }
        }
    }

    var nodeName: NodeName { storage.header.nodeName }
    var serviceName: ServiceName { storage.header.name }
    /// The service that is reached through the instance; nil outside the mesh and for gateways.
    var meshName: FoldedName<Void>? { storage.header.mesh?.name }
    var foldedID: String {
        let id = storage.header.id
        return storage.text(from: id.foldedOffset, count: id.foldedCount)
    }

    @inline(__always)
    func orderByID(_ key: UnsafeRawBufferPointer) -> Int {
        let id = storage.header.id
        return storage.withBytes(from: id.foldedOffset, count: id.foldedCount) {
            Bytes.order(key, $0)
        }
    }
}

/// Who a new record is, in parts that it shares with others.
struct ServiceIdentity {
    let nodeName: NodeName
    let name: ServiceName
    let foldedID: String
    /// The service's tags, as an array that other instances may have too.
    let tags: [String]
    /// False when the registration had no tags at all.
    let hasTags: Bool
    /// What replies do not show, but other servers are told.
    let isSidecar: Bool
}

/// How an instance takes part in the mesh.
final class MeshRole: Sendable {
    let kind: ServiceKind
    /// The service that is reached through the instance; nil for gateways.
    let name: FoldedName<Void>?

    /// Nil for a service that has no part in it.
    ///
    /// - Source: Consul: GET /v1/catalog/connect/:service: proxies of the service and native
    ///   instances.
    init?(_ service: borrowing CatalogService) {
        kind = service.kind
        if service.kind == .connectProxy {
            name = FoldedName(folded: service.proxy.destinationServiceName.folded, ())
        } else if service.connect.native {
            name = FoldedName(folded: service.name.folded, ())
        } else {
            name = nil
            guard service.kind != .typical else { return nil }
        }
    }
}

/// A service instance in the order of its node: by folded id.
struct ServiceOfNode: TreeElement {
    let record: ServiceRecord

    @inline(__always)
    static func order(_ key: UnsafeRawBufferPointer, _ element: ServiceOfNode) -> Int {
        element.record.orderByID(key)
    }
}

/// A service instance with its own checks in the order of its service: by folded node name, then
/// id.
struct ServiceOfName: TreeElement {
    var record: ServiceRecord
    var checks: CheckList

    @inline(__always)
    static func order(_ key: NodeScopedKey, _ element: ServiceOfName) -> Int {
        let byNode = NodeName.order(key.node, element.record.nodeName)
        return byNode != 0 ? byNode : element.record.orderByID(key.id)
    }
}
