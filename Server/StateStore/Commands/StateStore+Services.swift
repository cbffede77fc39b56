import Model
import Wire

extension StateStore {
    /// Creates or replaces a service instance on a node.
    mutating func ensureService(
        node: String,
        _ service: CatalogService,
        _ context: inout WriteContext
    ) throws(StoreError) {
        try validateMeta(of: service, node: node)
        guard let name = nodeTable.name(node.folded) else { throw .missingNode }
        writeService(on: name, service, &context)
    }

    /// Refuses metadata that breaks the rules.
    ///
    /// - Source: Consul: PUT /v1/catalog/register, "Invalid Service Meta for node …"
    func validateMeta(of service: CatalogService, node: String) throws(StoreError) {
        guard let meta = service.meta, !meta.isEmpty else { return }
        guard let problem = metaProblem(meta) else { return }
        throw StoreError(
            "Invalid Service Meta for node \(node) and serviceID \(service.id): \(problem)"
        )
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
        _ service: CatalogService,
        _ context: inout WriteContext
    ) {
        let foldedID = service.id.folded
        let old = nodeTable.service(node, foldedID)
        var service = service
        let first = RecordIndexes(create: context.index, modify: context.index)
        service.indexes = old?.indexes ?? first
        var json = Fragment.encode(service)
        if let old {
            let isSame = old.withJSON { stored in
                json.withUnsafeBytes { Bytes.order(stored, $0) == 0 }
            }
            guard !isSame else { return }
            service.indexes.modify = context.index
            json = Fragment.encode(service)
        }
        let record = ServiceRecord(
            service,
            json: json,
            context: shared(with: service, on: node, foldedID: foldedID, replacing: old)
        )
        nodeTable.update(node) { entry in
            entry.services.insert(ServiceOfNode(record: record), at: foldedID)
            entry.servicesIndex = context.index
        }
        placeInGroups(record, replacing: old, &context)
        indexes.services = context.index
        context.changes.touch(.services)
        context.changes.touch(.nodeServices(node.folded))
    }

    /// What the new record can share with its service's other instances and with the one it replaces.
    private func shared(
        with service: CatalogService,
        on node: NodeName,
        foldedID: String,
        replacing old: ServiceRecord?
    ) -> ServiceContext {
        let folded = service.name.folded
        let sibling = serviceGroups.find(folded)?.cell.value.instances.first?.record
        var name = ServiceName(service.name, folded: folded)
        if let known = sibling?.storage.header.name, Bytes.equal(known.name, service.name) {
            name = known
        }
        var tags = service.tags ?? []
        for known in [sibling?.tags, old?.tags] {
            if let known, known.count == tags.count, zip(known, tags).allSatisfy(Bytes.equal) {
                tags = known
            }
        }
        return ServiceContext(
            nodeName: node,
            name: name,
            foldedID: foldedID,
            tags: tags,
            checks: old?.checkList ?? .none
        )
    }

    /// Puts the record where its service's and its mesh name's queries find it, and takes the old one out.
    private mutating func placeInGroups(
        _ record: ServiceRecord,
        replacing old: ServiceRecord?,
        _ context: inout WriteContext
    ) {
        let key = NodeScopedKey(node: record.nodeName.folded, id: record.foldedID)
        let name = record.foldedName
        if let old, !Bytes.equal(old.foldedName, name) {
            removeFromService(old, key, &context)
            insertIntoService(record, replacing: nil, key, &context)
            noteChecksMoved(old, record, &context)
        } else {
            insertIntoService(record, replacing: old, key, &context)
        }
        let mesh = record.foldedMeshName
        if let oldMesh = old?.foldedMeshName, mesh.map({ !Bytes.equal($0, oldMesh) }) ?? true {
            removeFromMesh(oldMesh, key, &context)
        }
        guard let mesh else { return }
        Self.update(&meshGroups, mesh, context.index) { group in
            group.index = context.index
            group.instances.insert(ServiceOfName(record: record), at: key)
        }
        context.changes.touch(.connect(mesh))
    }

    private mutating func insertIntoService(
        _ record: ServiceRecord,
        replacing old: ServiceRecord?,
        _ key: NodeScopedKey,
        _ context: inout WriteContext
    ) {
        let checksIndex = indexes.checks
        var namesChanged = false
        Self.update(&serviceGroups, record.foldedName, context.index) { group in
            if group.instances.isEmpty {
                // Its checks are as old as the table's until one is written.
                group.checksIndex = checksIndex
            }
            group.index = context.index
            group.instances.insert(ServiceOfName(record: record), at: key)
            let isListedAlike = old.map { $0.isListed(like: record) } ?? false
            guard !isListedAlike else { return }
            namesChanged = group.count(record, by: 1)
            if let old {
                namesChanged = group.count(old, by: -1) || namesChanged
            }
        }
        context.changes.touch(.service(record.foldedName))
        if namesChanged { noteNamesChanged(&context) }
    }

    private mutating func removeFromService(
        _ record: ServiceRecord,
        _ key: NodeScopedKey,
        _ context: inout WriteContext
    ) {
        var namesChanged = false
        let isExtinct = Self.update(&serviceGroups, record.foldedName, context.index) { group in
            group.index = context.index
            group.instances.remove(key)
            namesChanged = group.count(record, by: -1)
            return group.instances.isEmpty
        }
        if isExtinct {
            serviceGroups.remove(record.foldedName)
            indexes.serviceExtinction = context.index
        }
        context.changes.touch(.service(record.foldedName))
        if namesChanged { noteNamesChanged(&context) }
    }

    private mutating func removeFromMesh(
        _ mesh: String,
        _ key: NodeScopedKey,
        _ context: inout WriteContext
    ) {
        let isExtinct = Self.update(&meshGroups, mesh, context.index) { group in
            group.index = context.index
            group.instances.remove(key)
            return group.instances.isEmpty
        }
        if isExtinct {
            meshGroups.remove(mesh)
            indexes.serviceExtinction = context.index
        }
        context.changes.touch(.connect(mesh))
    }

    /// Removes an instance with its checks; nothing happens when there is none.
    mutating func deleteService(node: String, id: String, _ context: inout WriteContext) {
        guard let name = nodeTable.name(node) else { return }
        guard let checks = nodeTable.service(name, id)?.checks else { return }
        for check in checks {
            deleteCheck(node: node, id: check.foldedID, &context)
        }
        guard let record = nodeTable.service(name, id) else { return }
        nodeTable.update(name) { entry in
            entry.services.remove(id)
            entry.servicesIndex = context.index
        }
        let key = NodeScopedKey(node: node, id: id)
        removeFromService(record, key, &context)
        if let mesh = record.foldedMeshName {
            removeFromMesh(mesh, key, &context)
        }
        indexes.services = context.index
        context.changes.touch(.services)
        context.changes.touch(.nodeServices(node))
    }

    /// Marks an instance whose health replies changed although it did not.
    mutating func touchService(_ record: ServiceRecord, _ context: inout WriteContext) {
        let name = record.foldedName
        Self.update(&serviceGroups, name, context.index) { $0.index = context.index }
        context.changes.touch(.service(name))
        guard let mesh = record.foldedMeshName else { return }
        Self.update(&meshGroups, mesh, context.index) { $0.index = context.index }
        context.changes.touch(.connect(mesh))
    }

    private mutating func noteNamesChanged(_ context: inout WriteContext) {
        indexes.serviceNames = context.index
        context.changes.touch(.serviceNames)
    }

    /// The checks of an instance follow it to another name.
    private mutating func noteChecksMoved(
        _ old: ServiceRecord,
        _ new: ServiceRecord,
        _ context: inout WriteContext
    ) {
        guard !new.checks.isEmpty else { return }
        indexes.checks = context.index
        for name in [old.foldedName, new.foldedName] {
            if serviceGroups.find(name) != nil {
                Self.update(&serviceGroups, name, context.index) { $0.checksIndex = context.index }
            }
            context.changes.touch(.serviceChecks(name))
        }
    }

    /// Lends the group of a name, made first when there is none.
    @discardableResult
    static func update<Result>(
        _ tree: inout OrderedTree<ServiceGroupElement>,
        _ folded: String,
        _ index: LogIndex,
        _ body: (inout ServiceGroup) -> Result
    ) -> Result {
        let result = tree.update(folded) { Cell.mutate(&$0.cell, body) }
        if let result { return result }
        var group = ServiceGroup(folded: folded, index: index)
        let made = body(&group)
        tree.insert(ServiceGroupElement(cell: Cell(group)), at: folded)
        return made
    }
}

extension ServiceRecord {
    /// True when both show the same name and tags in `catalog/services`.
    func isListed(like other: ServiceRecord) -> Bool {
        Bytes.equal(name, other.name) && tags.count == other.tags.count
            && zip(tags, other.tags).allSatisfy(Bytes.equal)
    }
}
