import Model

extension StateStore {
    /// Writes a node, its service and its checks; first everything is validated, then nothing can
    /// fail.
    ///
    /// - Source: Consul: PUT /v1/catalog/register
    mutating func applyRegister(
        _ command: consuming RegisterCommand,
        _ context: inout WriteContext
    ) throws(StoreError) {
        let foldedName = command.node.name.folded
        let known = nodeTable.name(foldedName)
        let plan = try nodePlan(of: command, known)
        try validateService(of: command)
        for position in command.checks.indices {
            let (node, serviceID) = (
                command.checks[position].node, command.checks[position].serviceID
            )
            try validateCheck(ofNode: node, serviceID: serviceID, in: command, plan)
        }
        if let plan {
            writeNode(command.node, plan, &context)
        }
        guard let name = plan == nil ? known : nodeTable.name(foldedName) else { return }
        if let service = command.service.take() {
            writeService(on: name, service, &context)
        }
        for check in command.checks {
            try ensureCheck(check, on: name, &context)
        }
    }

    /// How the command's node is written, or nil when it stays as it is.
    private func nodePlan(
        of command: borrowing RegisterCommand,
        _ known: NodeName?
    ) throws(StoreError) -> NodePlan? {
        let existing = known.flatMap { nodeTable[$0]?.value.record }
        if let existing, command.skipNodeUpdate || existing.isSame(as: command.node) {
            return nil
        }
        do throws(StoreError) {
            return try planNode(command.node)
        } catch {
            throw StoreError("failed inserting node: \(error.message)")
        }
    }

    private func validateService(of command: borrowing RegisterCommand) throws(StoreError) {
        guard let meta = command.service?.meta, !meta.isEmpty else { return }
        do throws(StoreError) {
            let id = command.service?.id ?? ""
            try validate(meta, ofService: id, node: command.node.name)
        } catch {
            throw StoreError("failed inserting service: \(error.message)")
        }
    }

    /// Refuses a check of another node, or of a service that will not be there.
    private func validateCheck(
        ofNode checkNode: String,
        serviceID: String,
        in command: borrowing RegisterCommand,
        _ plan: NodePlan?
    ) throws(StoreError) {
        let node = command.node.name
        guard Bytes.equal(checkNode, node) else {
            throw StoreError("check node \"\(checkNode)\" does not match node \"\(node)\"")
        }
        guard !serviceID.isEmpty else { return }
        let serviceID = serviceID.folded
        if let id = command.service?.id, Bytes.equal(id.folded, serviceID) {
            return
        }
        let folded = node.folded
        // A node that changes its name leaves its services behind.
        let survives = plan?.renamed.map { !Bytes.equal($0.folded, folded) } ?? true
        guard survives, nodeTable.find(folded)?.value.services.find(serviceID) != nil else {
            throw StoreError(
                "failed inserting check: \(StoreError.missingService.message) on node \"\(node)\""
            )
        }
    }

    /// Removes a service, or else a check, or else a node.
    ///
    /// - Source: Consul: PUT /v1/catalog/deregister
    mutating func applyDeregister(_ command: DeregisterCommand, _ context: inout WriteContext) {
        guard let node = nodeTable.name(command.node.folded) else { return }
        if !command.serviceID.isEmpty {
            deleteService(on: node, id: command.serviceID.folded, &context)
        } else if !command.checkID.isEmpty {
            deleteCheck(on: node, id: command.checkID.folded, &context)
        } else {
            deleteNode(node.folded, &context)
        }
    }
}
