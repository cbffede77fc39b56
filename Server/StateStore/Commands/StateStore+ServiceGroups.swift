import Model

/// Where an instance goes, and what its normalised form no longer says.
struct InstancePlace {
    let node: NodeName
    let key: NodeScopedKey
    let foldedID: String
    let hasTags: Bool
    let isSidecar: Bool
}

/// Where services are found by name: the groups of their instances.
extension StateStore {
    /// Makes the instance's record and puts it where queries of its service and its mesh name find
    /// it.
    mutating func placeInGroups(
        _ service: CatalogService,
        _ json: [UInt8],
        at place: InstancePlace,
        replacing old: ServiceRecord?,
        _ context: inout WriteContext
    ) -> ServiceRecord {
        let foldedName = service.name.folded
        let key = place.key
        let keepsName = old.map { old in
            Bytes.with(foldedName) { ServiceName.order($0, old.serviceName) == 0 }
        }
        var moved = CheckList.none
        if let old, keepsName == false {
            moved = removeFromService(old, key, &context)
        }
        let checksIndex = indexes.checks
        var namesChanged = false
        let placed = Self.update(&serviceGroups, foldedName, context.index) { group in
            let identity = ServiceIdentity(
                nodeName: place.node,
                name: group.name(service.name, folded: foldedName),
                foldedID: place.foldedID,
                tags: group.sharing(service.tags ?? []),
                hasTags: place.hasTags,
                isSidecar: place.isSidecar
            )
            let record = ServiceRecord(service, json: json, identity: identity)
            let isNew = group.instances.isEmpty
            // The checks of a new group are as old as the table's until one is written.
            if isNew { group.checksIndex = checksIndex }
            group.index = context.index
            let replaced = keepsName == true ? old : nil
            if !(replaced.map { $0.isListed(like: record) } ?? false) {
                namesChanged = group.count(record, by: 1)
                if let replaced { namesChanged = group.count(replaced, by: -1) || namesChanged }
            }
            // Only what had this name before can be in this group.
            if replaced != nil, let placed = group.replace(with: record, at: key) { return placed }
            return group.add(record, with: moved, at: key)
        }
        touch(.service, placed.record.serviceName.topicHash, &context)
        if namesChanged { noteNamesChanged(&context) }
        if let old, keepsName == false { noteChecksMoved(moved, old, placed.record, &context) }
        placeInMesh(placed, replacing: old, at: key, &context)
        return placed.record
    }

    private mutating func placeInMesh(
        _ placed: ServiceOfName,
        replacing old: ServiceRecord?,
        at key: NodeScopedKey,
        _ context: inout WriteContext
    ) {
        let mesh = placed.record.meshName
        if let oldMesh = old?.meshName, mesh.map({ $0.topicHash != oldMesh.topicHash }) ?? true {
            removeFromMesh(oldMesh, key, &context)
        }
        guard let mesh else { return }
        Self.update(&meshGroups, mesh.folded, context.index) { group in
            group.index = context.index
            group.instances.insert(placed, at: key)
        }
        touch(.connect, mesh.topicHash, &context)
    }

    /// Takes an instance out of its service; returns the checks it had.
    mutating func removeFromService(
        _ record: ServiceRecord,
        _ key: NodeScopedKey,
        _ context: inout WriteContext
    ) -> CheckList {
        let name = record.serviceName
        var namesChanged = false
        var checks = CheckList.none
        let isExtinct = Self.update(&serviceGroups, name.folded, context.index) { group in
            group.index = context.index
            checks = group.instances.remove(key)?.checks ?? .none
            namesChanged = group.count(record, by: -1)
            return group.instances.isEmpty
        }
        if isExtinct {
            name.withBytes { _ = serviceGroups.remove($0) }
            indexes.serviceExtinction = context.index
        }
        touch(.service, name.topicHash, &context)
        if namesChanged { noteNamesChanged(&context) }
        return checks
    }

    mutating func removeFromMesh(
        _ mesh: FoldedName<Void>,
        _ key: NodeScopedKey,
        _ context: inout WriteContext
    ) {
        let isExtinct = Self.update(&meshGroups, mesh.folded, context.index) { group in
            group.index = context.index
            group.instances.remove(key)
            return group.instances.isEmpty
        }
        if isExtinct {
            mesh.withBytes { _ = meshGroups.remove($0) }
            indexes.serviceExtinction = context.index
        }
        touch(.connect, mesh.topicHash, &context)
    }

    /// Replaces an instance's checks where its queries find them.
    mutating func setChecks(
        of record: ServiceRecord,
        id: String,
        _ edit: CheckEdit,
        _ context: inout WriteContext
    ) {
        let name = record.serviceName
        NodeScopedKey.with(record.nodeName, id) { key in
            name.withBytes { bytes in
                _ = serviceGroups.update(bytes) { element in
                    Cell.mutate(&element.cell) { group in
                        group.index = context.index
                        group.checksIndex = context.index
                        _ = group.instances.update(key) { $0.checks.apply(edit) }
                    }
                }
            }
            record.meshName?.withBytes { bytes in
                _ = meshGroups.update(bytes) { element in
                    Cell.mutate(&element.cell) { group in
                        group.index = context.index
                        _ = group.instances.update(key) { $0.checks.apply(edit) }
                    }
                }
            }
        }
        touch(.service, name.topicHash, &context)
        touch(.serviceChecks, name.topicHash, &context)
        if let mesh = record.meshName { touch(.connect, mesh.topicHash, &context) }
    }

    /// Marks an instance whose health replies changed although it did not.
    mutating func touchService(_ record: ServiceRecord, _ context: inout WriteContext) {
        let index = context.index
        record.serviceName.withBytes { name in
            _ = serviceGroups.update(name) { Cell.mutate(&$0.cell) { $0.index = index } }
        }
        touch(.service, record.serviceName.topicHash, &context)
        guard let mesh = record.meshName else { return }
        mesh.withBytes { name in
            _ = meshGroups.update(name) { Cell.mutate(&$0.cell) { $0.index = index } }
        }
        touch(.connect, mesh.topicHash, &context)
    }

    private func touch(_ kind: Topic.Kind, _ hash: UInt64, _ context: inout WriteContext) {
        context.changes.touch(kind, hash)
    }

    private mutating func noteNamesChanged(_ context: inout WriteContext) {
        indexes.serviceNames = context.index
        context.changes.touch(Topic.Kind.serviceNames)
    }

    /// The checks of an instance follow it to another name.
    private mutating func noteChecksMoved(
        _ moved: CheckList,
        _ old: ServiceRecord,
        _ new: ServiceRecord,
        _ context: inout WriteContext
    ) {
        guard !moved.array.isEmpty else { return }
        let index = context.index
        indexes.checks = index
        for name in [old.serviceName, new.serviceName] {
            name.withBytes { bytes in
                _ = serviceGroups.update(bytes) { Cell.mutate(&$0.cell) { $0.checksIndex = index } }
            }
            touch(.serviceChecks, name.topicHash, &context)
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
        var group = ServiceGroup(index: index)
        let made = body(&group)
        let name = FoldedName<Void>(folded: folded, ())
        tree.insert(ServiceGroupElement(name: name, cell: Cell(group)), at: folded)
        return made
    }
}
