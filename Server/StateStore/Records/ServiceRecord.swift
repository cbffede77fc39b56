package import Model
import Wire

/// A service instance as the store keeps it: what queries decide by, and its JSON.
///
/// One word; copies share. The instance's own checks hang on it, so that a changed check makes a new one.
package struct ServiceRecord: Sendable {
    struct Header: Sendable {
        let nodeName: NodeName
        let name: ServiceName
        let tags: [String]
        let address: String
        /// What the instance offers through the mesh; nil outside it.
        let meshName: MeshName?
        var checks: CheckList
        let indexes: RecordIndexes
        let port: Int
        let passingWeight: Int32
        let warningWeight: Int32
        let id: StoredID
        let jsonLength: UInt32
        let hasTags: Bool
    }

    let storage: RecordStorage<Header>

    init(_ service: CatalogService, json: [UInt8], context: ServiceContext) {
        let id = StoredID(service.id, folded: context.foldedID)
        let weights = service.weights ?? Weights(passing: 1, warning: 1)
        let header = Header(
            nodeName: context.nodeName,
            name: context.name,
            tags: context.tags,
            address: service.address,
            meshName: MeshName(service),
            checks: context.checks,
            indexes: service.indexes,
            port: service.port,
            passingWeight: Int32(clamping: weights.passing),
            warningWeight: Int32(clamping: weights.warning),
            id: id,
            jsonLength: UInt32(truncatingIfNeeded: json.count),
            hasTags: service.tags != nil
        )
        storage = RecordStorage(header, count: id.byteCount + json.count) { bytes in
            id.write(service.id, folded: context.foldedID, to: bytes)
            json.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: bytes[id.byteCount...]).copyMemory(from: $0)
            }
        }
    }

    /// The same instance with other checks.
    init(_ other: ServiceRecord, checks: CheckList) {
        var header = other.storage.header
        header.checks = checks
        let count = header.id.byteCount + Int(header.jsonLength)
        storage = RecordStorage(header, count: count) { target in
            other.storage.withBytes(from: 0, count: count) { target.copyMemory(from: $0) }
        }
    }

    package var id: String { storage.text(from: 0, count: Int(storage.header.id.length)) }
    package var name: String { storage.header.name.name }
    package var tags: [String] { storage.header.tags }
    /// Empty means the node's address.
    package var address: String { storage.header.address }
    package var port: Int { storage.header.port }
    package var kind: ServiceKind { storage.header.meshName?.kind ?? .typical }
    package var indexes: RecordIndexes { storage.header.indexes }
    /// The instance's own checks, ascending by id.
    package var checks: [CheckRecord] { storage.header.checks.array }

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
    var foldedName: String { storage.header.name.folded }
    var foldedMeshName: String? { storage.header.meshName?.folded }
    var checkList: CheckList { storage.header.checks }
    var foldedID: String {
        let id = storage.header.id
        return storage.text(from: id.foldedOffset, count: id.foldedCount)
    }

    func orderByID(_ key: String) -> Int {
        let id = storage.header.id
        return storage.withBytes(from: id.foldedOffset, count: id.foldedCount) { bytes in
            Bytes.with(key) { Bytes.order($0, bytes) }
        }
    }
}

/// What a new record shares with its surroundings.
struct ServiceContext {
    let nodeName: NodeName
    let name: ServiceName
    let foldedID: String
    /// The service's tags, as an array that other instances may have too.
    let tags: [String]
    let checks: CheckList
}

/// A service's name, shared by its instances.
final class ServiceName: Sendable {
    let name: String
    let folded: String

    init(_ name: String, folded: String) {
        self.name = name
        self.folded = folded
    }
}

/// How an instance takes part in the mesh.
final class MeshName: Sendable {
    let kind: ServiceKind
    /// The service that is reached through the instance; nil for gateways.
    let folded: String?

    /// Nil for a service that has no part in it.
    ///
    /// - Source: Consul: GET /v1/catalog/connect/:service: proxies of the service and native instances.
    init?(_ service: CatalogService) {
        kind = service.kind
        if service.kind == .connectProxy {
            folded = service.proxy.destinationServiceName.folded
        } else if service.connect.native {
            folded = service.name.folded
        } else {
            folded = nil
            guard service.kind != .typical else { return nil }
        }
    }
}

/// A service instance in the order of its node: by folded id.
struct ServiceOfNode: TreeElement {
    let record: ServiceRecord

    static func order(_ key: String, _ element: ServiceOfNode) -> Int {
        element.record.orderByID(key)
    }
}

/// A service instance in the order of its service: by folded node name, then by folded id.
struct ServiceOfName: TreeElement {
    let record: ServiceRecord

    static func order(_ key: NodeScopedKey, _ element: ServiceOfName) -> Int {
        let byNode = Bytes.order(key.node, element.record.nodeName.folded)
        return byNode != 0 ? byNode : element.record.orderByID(key.id)
    }
}
