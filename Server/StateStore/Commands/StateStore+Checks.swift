import Model

extension StateStore {
    /// Creates or replaces a check; a critical one ends the sessions that depend on it.
    mutating func ensureCheck(
        _ check: HealthCheck,
        _ context: inout WriteContext
    ) throws(StoreError) {
        guard let node = nodeTable.name(check.node.folded) else { throw .missingNode }
        try ensureCheck(check, on: node, &context)
    }

    /// The same on a node that is known.
    mutating func ensureCheck(
        _ check: consuming HealthCheck,
        on node: NodeName,
        _ context: inout WriteContext
    ) throws(StoreError) {
        if check.status.rawValue.isEmpty {
            check.status = .critical
        }
        let owner = try owner(of: check, on: node)
        if let service = owner.service {
            check.serviceName = service.name
            check.serviceTags = service.storage.header.hasTags ? service.tags : nil
        }
        let foldedID = check.id.folded
        writeCheck(&check, foldedID, on: owner, &context)
        guard check.status == .critical else { return }
        for session in sessionTable.ofCheck(node: node.folded, check: foldedID) {
            destroySession(session.foldedID, &context)
        }
    }

    /// What a check speaks for: a service instance of a node, or the node itself.
    private struct CheckOwner {
        let node: NodeName
        /// Nil for the node itself.
        let service: ServiceRecord?
        let foldedServiceID: String
    }

    private func owner(
        of check: borrowing HealthCheck,
        on node: NodeName
    ) throws(StoreError) -> CheckOwner {
        guard !check.serviceID.isEmpty else {
            return CheckOwner(node: node, service: nil, foldedServiceID: "")
        }
        let foldedID = check.serviceID.folded
        guard let service = nodeTable.service(node, foldedID) else { throw .missingService }
        return CheckOwner(node: node, service: service, foldedServiceID: foldedID)
    }

    private mutating func writeCheck(
        _ check: inout HealthCheck,
        _ foldedID: String,
        on owner: CheckOwner,
        _ context: inout WriteContext
    ) {
        let old = nodeTable.check(owner.node, foldedID)
        let first = RecordIndexes(create: context.index, modify: context.index)
        check.indexes = old?.indexes ?? first
        let hasTags = check.serviceTags != nil
        var json = Fragment.encode(&check)
        if let old {
            let isSame = old.withJSON { stored in
                json.withUnsafeBytes { Bytes.order(stored, $0) == 0 }
            }
            guard !isSame else { return }
            check.indexes.modify = context.index
            json = Fragment.encode(&check)
            if !Bytes.equal(old.serviceID.folded, owner.foldedServiceID) {
                detach(old, &context)
            }
            context.changes.touch(.checksInState(old.status.rawValue))
        }
        let record = CheckRecord(
            check,
            json: json,
            foldedID: foldedID,
            nodeName: owner.node,
            serviceName: owner.service?.name ?? check.serviceName,
            hasTags: hasTags
        )
        let index = context.index
        nodeTable.update(owner.node) { entry in
            entry.checks.insert(record, at: foldedID)
            entry.checksIndex = index
        }
        setTroubled(!record.isPassing, record, foldedID)
        change(of: owner, .set(record), &context)
        noteCheckChange(record, &context)
    }

    /// Removes a check and ends the sessions that depend on it; nothing happens when there is none.
    mutating func deleteCheck(on node: NodeName, id: String, _ context: inout WriteContext) {
        guard let record = nodeTable.check(node, id) else { return }
        let index = context.index
        nodeTable.update(node) { entry in
            entry.checks.remove(id)
            entry.checksIndex = index
        }
        setTroubled(false, record, id)
        detach(record, &context)
        noteCheckChange(record, &context)
        for session in sessionTable.ofCheck(node: node.folded, check: id) {
            destroySession(session.foldedID, &context)
        }
    }

    /// Keeps or drops a check among those that are not passing.
    private mutating func setTroubled(_ isTroubled: Bool, _ record: CheckRecord, _ id: String) {
        NodeScopedKey.with(record.nodeName, id) { key in
            if isTroubled {
                _ = troubledChecks.insert(CheckOfAnyNode(record: record), at: key)
            } else {
                _ = troubledChecks.remove(key)
            }
        }
    }

    private mutating func noteCheckChange(_ record: CheckRecord, _ context: inout WriteContext) {
        indexes.checks = context.index
        context.changes.touch(Topic.Kind.nodeChecks)
        context.changes.touch(.nodeChecks, record.nodeName.topicHash)
        context.changes.touch(.checksInState(record.status.rawValue))
    }

    /// Takes a check off what it speaks for.
    private mutating func detach(_ record: CheckRecord, _ context: inout WriteContext) {
        let node = record.nodeName
        let serviceID = record.serviceID.folded
        let service = record.isNodeLevel ? nil : nodeTable.service(node, serviceID)
        let owner = CheckOwner(node: node, service: service, foldedServiceID: serviceID)
        guard record.isNodeLevel || service != nil else { return }
        change(of: owner, .remove(record.foldedID), &context)
    }

    /// Changes the list of checks that an instance has, or a node and so every instance on it.
    private mutating func change(
        of owner: CheckOwner,
        _ edit: CheckEdit,
        _ context: inout WriteContext
    ) {
        guard let service = owner.service else {
            nodeTable.update(owner.node) { $0.nodeChecks.apply(edit) }
            return touchAllServices(of: owner.node, &context)
        }
        setChecks(of: service, id: owner.foldedServiceID, edit, &context)
    }
}
