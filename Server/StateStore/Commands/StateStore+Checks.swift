import Model

extension StateStore {
    /// Creates or replaces a check; a critical one ends the sessions that depend on it.
    mutating func ensureCheck(
        _ check: HealthCheck,
        _ context: inout WriteContext
    ) throws(StoreError) {
        guard let node = nodeTable.name(check.node.folded) else { throw .missingNode }
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
        var json = Fragment.encode(check)
        if let old {
            let isSame = old.withJSON { stored in
                json.withUnsafeBytes { Bytes.order(stored, $0) == 0 }
            }
            guard !isSame else { return }
            check.indexes.modify = context.index
            json = Fragment.encode(check)
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
            serviceName: service?.name ?? check.serviceName
        )
        nodeTable.update(node) { entry in
            _ = entry.checks.insert(record, at: foldedID)
        }
        attach(record, &context)
        noteCheckChange(record, &context)
    }

    /// Removes a check and ends the sessions that depend on it; nothing happens when there is none.
    mutating func deleteCheck(node: String, id: String, _ context: inout WriteContext) {
        guard let name = nodeTable.name(node), let record = nodeTable.check(name, id) else { return }
        nodeTable.update(name) { entry in
            _ = entry.checks.remove(id)
        }
        detach(record, &context)
        noteCheckChange(record, &context)
        for session in sessionTable.ofCheck(node: node, check: id) {
            destroySession(session.foldedID, &context)
        }
    }

    private mutating func noteCheckChange(_ record: CheckRecord, _ context: inout WriteContext) {
        let name = record.nodeName
        nodeTable.update(name) { $0.checksIndex = context.index }
        indexes.checks = context.index
        context.changes.touch(.checks)
        context.changes.touch(.checksInState(record.status.rawValue))
        context.changes.touch(.nodeChecks(name.folded))
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
        let name = record.nodeName
        guard !record.isNodeLevel else {
            nodeTable.update(name) { entry in
                entry.nodeChecks = edit(CheckList(entry.nodeChecks)).array
            }
            touchAllServices(of: name, &context)
            return
        }
        let serviceID = record.serviceID.folded
        guard let old = nodeTable.service(name, serviceID) else { return }
        let service = ServiceRecord(old, checks: edit(old.checkList))
        nodeTable.update(name) { entry in
            _ = entry.services.insert(ServiceOfNode(record: service), at: serviceID)
        }
        let key = NodeScopedKey(node: name.folded, id: serviceID)
        Self.update(&serviceGroups, service.foldedName, context.index) { group in
            group.instances.insert(ServiceOfName(record: service), at: key)
            group.index = context.index
            group.checksIndex = context.index
        }
        context.changes.touch(.service(service.foldedName))
        context.changes.touch(.serviceChecks(service.foldedName))
        guard let mesh = service.foldedMeshName else { return }
        Self.update(&meshGroups, mesh, context.index) { group in
            group.instances.insert(ServiceOfName(record: service), at: key)
            group.index = context.index
        }
        context.changes.touch(.connect(mesh))
    }
}
