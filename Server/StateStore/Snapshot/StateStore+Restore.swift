import Model
import Wire

/// How restored records are put in place: as carried, without the effects of a write.
extension StateStore {
    mutating func restore(
        _ carried: CatalogService,
        on node: NodeName
    ) throws(WireError) {
        var service = carried
        let foldedID = service.id.folded
        guard !foldedID.isEmpty else { throw WireError(.value, "a service without an id") }
        let foldedName = service.name.folded
        let (hasTags, isSidecar) = (service.tags != nil, service.locallyRegisteredAsSidecar)
        let json = Fragment.encode(&service)
        let prepared = service
        let (tags, index) = (service.tags ?? [], service.indexes.modify)
        var isTwice = false
        let placed = NodeScopedKey.with(node, foldedID) { key in
            Self.update(&serviceGroups, foldedName, index) { group in
                let identity = ServiceIdentity(
                    nodeName: node,
                    name: group.name(prepared.name, folded: foldedName),
                    foldedID: foldedID,
                    tags: group.sharing(tags),
                    hasTags: hasTags,
                    isSidecar: isSidecar
                )
                let record = ServiceRecord(prepared, json: json, identity: identity)
                let element = ServiceOfName(record: record, checks: .none)
                isTwice = group.instances.insert(element, at: key) != nil
                _ = group.count(record, by: 1)
                group.index = max(group.index, index)
                return element
            }
        }
        if let mesh = placed.record.meshName {
            NodeScopedKey.with(node, foldedID) { key in
                Self.update(&meshGroups, mesh.folded, index) { group in
                    _ = group.instances.insert(placed, at: key)
                    group.index = max(group.index, index)
                }
            }
        }
        nodeTable.update(node) { entry in
            let element = ServiceOfNode(record: placed.record)
            if entry.services.insert(element, at: foldedID) != nil { isTwice = true }
            entry.servicesIndex = max(entry.servicesIndex, index)
        }
        guard !isTwice else {
            throw WireError(.value, "service \(foldedID) on node \(node.folded) comes twice")
        }
    }

    mutating func restore(
        _ check: consuming HealthCheck,
        on node: NodeName
    ) throws(WireError) {
        let foldedID = check.id.folded
        guard !foldedID.isEmpty else { throw WireError(.value, "a check without an id") }
        let foldedServiceID = check.serviceID.folded
        let service = foldedServiceID.isEmpty ? nil : nodeTable.service(node, foldedServiceID)
        if service == nil, !foldedServiceID.isEmpty {
            throw WireError(
                .value,
                "check \(foldedID) is of service \(foldedServiceID), "
                    + "which is not on node \(node.folded)"
            )
        }
        let hasTags = check.serviceTags != nil
        let json = Fragment.encode(&check)
        let shared = service.flatMap { Bytes.equal($0.name, check.serviceName) ? $0.name : nil }
        let record = CheckRecord(
            check,
            json: json,
            foldedID: foldedID,
            nodeName: node,
            serviceName: shared ?? check.serviceName,
            hasTags: hasTags
        )
        let index = record.indexes.modify
        var isTwice = false
        nodeTable.update(node) { entry in
            isTwice = entry.checks.insert(record, at: foldedID) != nil
            entry.checksIndex = max(entry.checksIndex, index)
            if service == nil { entry.nodeChecks.apply(.set(record)) }
        }
        guard !isTwice else {
            throw WireError(.value, "check \(foldedID) on node \(node.folded) comes twice")
        }
        if !record.isPassing {
            NodeScopedKey.with(node, foldedID) { key in
                _ = troubledChecks.insert(CheckOfAnyNode(record: record), at: key)
            }
        }
        guard let service else { return }
        attach(record, to: service, foldedServiceID)
    }

    private mutating func attach(
        _ check: CheckRecord,
        to service: ServiceRecord,
        _ foldedServiceID: String
    ) {
        let index = check.indexes.modify
        NodeScopedKey.with(service.nodeName, foldedServiceID) { key in
            service.serviceName.withBytes { name in
                _ = serviceGroups.update(name) { element in
                    Cell.mutate(&element.cell) { group in
                        group.index = max(group.index, index)
                        group.checksIndex = max(group.checksIndex, index)
                        _ = group.instances.update(key) { $0.checks.apply(.set(check)) }
                    }
                }
            }
            service.meshName?.withBytes { name in
                _ = meshGroups.update(name) { element in
                    Cell.mutate(&element.cell) { group in
                        group.index = max(group.index, index)
                        _ = group.instances.update(key) { $0.checks.apply(.set(check)) }
                    }
                }
            }
        }
    }

    // MARK: Indexes

    /// Sets what the stream did not say from what the original carried beside it.
    mutating func adopt(
        _ carried: CarriedState,
        _ serviceIndexes: [String: LogIndex]
    ) throws(WireError) {
        guard carried.nodes.count == 3 * nodeTable.count,
            carried.serviceChecks.count == serviceGroups.count,
            carried.mesh.count == meshGroups.count,
            carried.lockDelays.count == carried.lockDelayExpiries.count
        else {
            throw WireError(.value, "it belongs to another stream")
        }
        indexes.serviceNames = LogIndex(rawValue: carried.serviceNames)
        indexes.reapedTombstones = LogIndex(rawValue: carried.reapedTombstones)
        for (place, name) in Array(nodeTable.names).enumerated() {
            nodeTable.update(name) { entry in
                entry.servicesIndex = LogIndex(rawValue: carried.nodes[3 * place])
                entry.checksIndex = LogIndex(rawValue: carried.nodes[3 * place + 1])
                entry.sessionsIndex = LogIndex(rawValue: carried.nodes[3 * place + 2])
            }
        }
        for (place, name) in serviceGroups.map(\.name).enumerated() {
            let checksIndex = LogIndex(rawValue: carried.serviceChecks[place])
            let index = serviceIndexes[name.folded]
            Self.update(&serviceGroups, name.folded, .zero) { group in
                group.checksIndex = checksIndex
                if let index { group.index = index }
            }
        }
        for (place, name) in meshGroups.map(\.name).enumerated() {
            let index = LogIndex(rawValue: carried.mesh[place])
            Self.update(&meshGroups, name.folded, .zero) { $0.index = index }
        }
        try adoptKeys(carried)
    }

    private mutating func adoptKeys(_ carried: CarriedState) throws(WireError) {
        for key in carried.deletedTrees {
            guard let stone = keyTable.tombstones.find(key) else {
                throw WireError(.value, "a deleted tree without a tombstone")
            }
            keyTable.bury(key, isTree: true, at: stone.index)
        }
        for (key, expiry) in zip(carried.lockDelays, carried.lockDelayExpiries) {
            keyTable.delayLock(
                of: key,
                until: Timestamp(nanosecondsSinceEpoch: expiry),
                now: Timestamp(nanosecondsSinceEpoch: 0)
            )
        }
    }

    /// Sets what the stream did not say to what a store with these records would have at least.
    mutating func deriveIndexes(_ serviceIndexes: [String: LogIndex]) {
        indexes.serviceNames = indexes.services
        for name in Array(nodeTable.names) {
            deriveIndexes(ofNode: name)
        }
        for name in serviceGroups.map(\.name) {
            Self.update(&serviceGroups, name.folded, .zero) { group in
                group.index = serviceIndexes[name.folded] ?? group.index
            }
        }
    }

    /// A node's own changes show in the replies of its services; its sessions have an index too.
    private mutating func deriveIndexes(ofNode name: NodeName) {
        guard let entry = nodeTable[name]?.value else { return }
        let nodeIndex =
            ([entry.record.node.indexes.modify] + entry.nodeChecks.map(\.indexes.modify))
            .max() ?? .zero
        let sessions = sessionTable.ofNode(name.folded).map(\.session.indexes.modify).max()
        for service in entry.services {
            let record = service.record
            record.serviceName.withBytes { key in
                _ = serviceGroups.update(key) { element in
                    Cell.mutate(&element.cell) { $0.index = max($0.index, nodeIndex) }
                }
            }
            record.meshName?.withBytes { key in
                _ = meshGroups.update(key) { element in
                    Cell.mutate(&element.cell) { $0.index = max($0.index, nodeIndex) }
                }
            }
        }
        nodeTable.update(name) { $0.sessionsIndex = max($0.sessionsIndex, sessions ?? .zero) }
    }
}
