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
        _ check: HealthCheck,
        on node: NodeName,
        _ context: inout WriteContext
    ) throws(StoreError) {
        var check = check
        if check.status.rawValue.isEmpty {
            check.status = .critical
        }
        var service: ServiceRecord?
        if !check.serviceID.isEmpty {
            guard let found = nodeTable.service(node, check.serviceID.folded) else {
                throw .missingService
            }
            check.serviceName = found.name
            check.serviceTags = found.storage.header.hasTags ? found.tags : nil
            service = found
        }
        writeCheck(check, on: node, of: service, &context)
        guard check.status == .critical else { return }
        for session in sessionTable.ofCheck(node: node.folded, check: check.id.folded) {
            destroySession(session.foldedID, &context)
        }
    }

    private mutating func writeCheck(
        _ check: HealthCheck,
        on node: NodeName,
        of service: ServiceRecord?,
        _ context: inout WriteContext
    ) {
        var check = check
        let foldedID = check.id.folded
        let old = nodeTable.check(node, foldedID)
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
            if !Bytes.equal(old.serviceID.folded, check.serviceID.folded) {
                detach(old, &context)
            }
            context.changes.touch(.checksInState(old.status.rawValue))
        }
        let record = CheckRecord(
            check,
            json: json,
            foldedID: foldedID,
            nodeName: node,
            serviceName: service?.name ?? check.serviceName,
            hasTags: hasTags
        )
        nodeTable.update(node) { entry in
            _ = entry.checks.insert(record, at: foldedID)
        }
        attach(record, &context)
        noteCheckChange(record, &context)
    }

    /// Removes a check and ends the sessions that depend on it; nothing happens when there is none.
    mutating func deleteCheck(on node: NodeName, id: String, _ context: inout WriteContext) {
        guard let record = nodeTable.check(node, id) else { return }
        nodeTable.update(node) { entry in
            _ = entry.checks.remove(id)
        }
        detach(record, &context)
        noteCheckChange(record, &context)
        for session in sessionTable.ofCheck(node: node.folded, check: id) {
            destroySession(session.foldedID, &context)
        }
    }

    private mutating func noteCheckChange(_ record: CheckRecord, _ context: inout WriteContext) {
        let node = record.nodeName
        nodeTable.update(node) { $0.checksIndex = context.index }
        indexes.checks = context.index
        context.changes.touch(Topic.Kind.nodeChecks)
        context.changes.touch(.checksInState(record.status.rawValue))
        context.changes.touch(.nodeChecks, node.topicHash)
    }

    /// Hangs a check on what it speaks for: its service instance, or its node and so all instances there.
    private mutating func attach(_ record: CheckRecord, _ context: inout WriteContext) {
        change(record, &context) { $0.setting(record) }
    }

    private mutating func detach(_ record: CheckRecord, _ context: inout WriteContext) {
        let id = record.foldedID
        change(record, &context) { $0.removing(id) }
    }

    private mutating func change(
        _ record: CheckRecord,
        _ context: inout WriteContext,
        _ edit: (CheckList) -> CheckList
    ) {
        let node = record.nodeName
        guard !record.isNodeLevel else {
            nodeTable.update(node) { entry in
                entry.nodeChecks = edit(CheckList(entry.nodeChecks)).array
            }
            touchAllServices(of: node, &context)
            return
        }
        let serviceID = record.serviceID.folded
        guard let service = nodeTable.service(node, serviceID) else { return }
        setChecks(of: service, id: serviceID, edit, &context)
    }
}
