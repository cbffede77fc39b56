import Model
import Wire

extension StateStore {
    /// Creates or replaces a service instance on a node.
    mutating func ensureService(
        node: String,
        _ service: CatalogService,
        _ context: inout WriteContext
    ) throws(StoreError) {
        try validate(service.meta ?? [:], ofService: service.id, node: node)
        guard let name = nodeTable.name(node.folded) else { throw .missingNode }
        writeService(on: name, service, &context)
    }

    /// Refuses metadata that breaks the rules.
    ///
    /// - Source: Consul: PUT /v1/catalog/register, "Invalid Service Meta for node …"
    func validate(
        _ meta: [String: String],
        ofService id: String,
        node: String
    ) throws(StoreError) {
        guard let problem = metaProblem(meta) else { return }
        throw StoreError("Invalid Service Meta for node \(node) and serviceID \(id): \(problem)")
    }

    private func metaProblem(_ meta: [String: String]) -> String? {
        guard meta.count <= limits.metaPairs else {
            return "Node metadata cannot contain more than \(limits.metaPairs) key/value pairs"
        }
        var first: (key: String, problem: String)?
        for (key, value) in meta {
            guard let problem = metaProblem(key, value) else { continue }
            // The least key's problem, so that every replica gives the same text.
            if first.map({ Bytes.order(key, $0.key) < 0 }) ?? true {
                first = (key, "Couldn't load metadata pair ('\(key)', '\(value)'): \(problem)")
            }
        }
        return first?.problem
    }

    private func metaProblem(_ key: String, _ value: String) -> String? {
        let isPlain = key.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default:
                false
            }
        }
        guard !key.isEmpty else { return "Key cannot be blank" }
        guard isPlain else { return "Key contains invalid characters" }
        guard key.utf8.count <= limits.metaKeyBytes else {
            return "Key is too long (limit: \(limits.metaKeyBytes) characters)"
        }
        guard value.utf8.count <= limits.metaValueBytes else {
            return "Value is too long (limit: \(limits.metaValueBytes) characters)"
        }
        return nil
    }

    /// Writes a validated instance on a node that is there, unless it is there already just so.
    mutating func writeService(
        on node: NodeName,
        _ service: consuming CatalogService,
        _ context: inout WriteContext
    ) {
        let foldedID = service.id.folded
        let old = nodeTable.service(node, foldedID)
        let hasTags = service.tags != nil
        let isSidecar = service.locallyRegisteredAsSidecar
        let first = RecordIndexes(create: context.index, modify: context.index)
        service.indexes = old?.indexes ?? first
        var json = Fragment.encode(&service)
        if let old {
            let isSame = old.withJSON { stored in
                json.withUnsafeBytes { Bytes.order(stored, $0) == 0 }
            }
            guard !isSame else { return }
            service.indexes.modify = context.index
            json = Fragment.encode(&service)
        }
        let record = NodeScopedKey.with(node, foldedID) { key in
            let place = InstancePlace(
                node: node,
                key: key,
                foldedID: foldedID,
                hasTags: hasTags,
                isSidecar: isSidecar
            )
            return placeInGroups(service, json, at: place, replacing: old, &context)
        }
        nodeTable.update(node) { entry in
            entry.services.insert(ServiceOfNode(record: record), at: foldedID)
            entry.servicesIndex = context.index
        }
        indexes.services = context.index
        indexes.kinds.note(record, at: context.index)
        context.changes.touch(Topic.Kind.nodeServices)
        context.changes.touch(.nodeServices, node.topicHash)
    }

    /// Removes an instance with its checks; nothing happens when there is none.
    mutating func deleteService(on node: NodeName, id: String, _ context: inout WriteContext) {
        guard let record = nodeTable.service(node, id) else { return }
        for check in checks(of: record, id: id) {
            deleteCheck(on: node, id: check.foldedID, &context)
        }
        nodeTable.update(node) { entry in
            entry.services.remove(id)
            entry.servicesIndex = context.index
        }
        NodeScopedKey.with(node, id) { key in
            _ = removeFromService(record, key, &context)
            if let mesh = record.meshName {
                removeFromMesh(mesh, key, &context)
            }
        }
        indexes.services = context.index
        indexes.kinds.note(record, at: context.index)
        context.changes.touch(Topic.Kind.nodeServices)
        context.changes.touch(.nodeServices, node.topicHash)
    }

    /// The checks of a stored instance with this folded id, ascending by id.
    func checks(of record: ServiceRecord, id: String) -> [CheckRecord] {
        checkList(of: record, id: id).array
    }

    func checkList(of record: ServiceRecord, id: String) -> CheckList {
        let group = record.serviceName.withBytes { serviceGroups.find($0) }
        return NodeScopedKey.with(record.nodeName, id) { key in
            group?.cell.value.instances.find(key)?.checks ?? .none
        }
    }
}

extension ServiceRecord {
    /// True when both show the same name and tags in `catalog/services`.
    func isListed(like other: ServiceRecord) -> Bool {
        Bytes.equal(name, other.name) && tags.count == other.tags.count
            && zip(tags, other.tags).allSatisfy(Bytes.equal)
    }
}
