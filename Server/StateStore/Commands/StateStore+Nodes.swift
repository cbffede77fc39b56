import Model
import Wire

extension StateStore {
    /// How a node would be written, once it is known that it may.
    struct NodePlan {
        /// The record whose place the new one takes; nil for a new node.
        let previous: NodeRecord?
        /// The node whose identifier comes under a new name, and which goes with all of its
        /// services.
        let renamed: NodeName?
    }

    /// Creates or replaces a node.
    mutating func ensureNode(
        _ node: Node,
        _ context: inout WriteContext
    ) throws(StoreError) {
        let plan = try planNode(node)
        writeNode(node, plan, &context)
    }

    /// Looks up what writing the node means, and refuses names that belong to a living node.
    func planNode(_ node: Node) throws(StoreError) -> NodePlan {
        let byName = nodeTable.find(node.name.folded)?.value.record
        guard !node.id.isEmpty else { return NodePlan(previous: byName, renamed: nil) }
        guard let sameID = nodeTable.find(id: node.id)?.value else {
            if let conflict = nameConflict(of: node, allowingMissingID: true) {
                let id = GoQuote.quote(node.id)
                throw StoreError("Error while renaming Node ID: \(id): \(conflict)")
            }
            return NodePlan(previous: byName, renamed: nil)
        }
        guard !Bytes.equal(sameID.record.name, node.name) else {
            return NodePlan(previous: sameID.record, renamed: nil)
        }
        if let conflict = nameConflict(of: node, allowingMissingID: false) {
            let id = GoQuote.quote(node.id)
            throw StoreError("Error while renaming Node ID: \(id) (\(node.address)): \(conflict)")
        }
        return NodePlan(previous: sameID.record, renamed: sameID.name)
    }

    /// Why the name is taken, or nil: another identifier has it, and that node's agent is alive.
    ///
    /// - Source: Consul: PUT /v1/catalog/register, "Node name … is reserved by node …"
    private func nameConflict(of node: Node, allowingMissingID: Bool) -> String? {
        guard let other = nodeTable.find(node.name.folded)?.value else { return nil }
        let owner = other.record.node
        guard !Bytes.equal(owner.id, node.id) else { return nil }
        guard let health = other.checks.find(StateStore.serfCheck) else { return nil }
        guard health.status != .critical else { return nil }
        guard !(owner.id.isEmpty && allowingMissingID) else { return nil }
        return "Node name \(node.name) is reserved by node \(owner.id) with name "
            + "\(owner.name) (\(owner.address))"
    }

    /// The folded id of the check that says whether a node's agent is alive.
    static let serfCheck = "serfhealth"

    mutating func writeNode(
        _ node: Node,
        _ plan: NodePlan,
        _ context: inout WriteContext
    ) {
        if let previous = plan.previous, plan.renamed == nil, previous.isSame(as: node) {
            return
        }
        if let renamed = plan.renamed {
            deleteNode(renamed.folded, &context)
        }
        var node = node
        let created = plan.previous?.node.indexes.create ?? context.index
        node.indexes = RecordIndexes(create: created, modify: context.index)
        let folded = node.name.folded
        let record = NodeRecord(node, foldedName: folded)
        if let name = nodeTable.name(folded) {
            nodeTable.replace(record, of: name)
            touchAllServices(of: name, &context)
        } else {
            nodeTable.add(record, at: context.index)
        }
        indexes.nodes = context.index
        context.changes.touch(Topic.Kind.node)
        context.changes.touch(.node(folded))
    }

    /// Removes a node with everything on it; nothing happens when there is none.
    mutating func deleteNode(_ folded: String, _ context: inout WriteContext) {
        guard let entry = nodeTable.find(folded)?.value else { return }
        for service in entry.services {
            deleteService(on: entry.name, id: service.record.foldedID, &context)
        }
        for check in entry.checks {
            deleteCheck(on: entry.name, id: check.foldedID, &context)
        }
        deleteCoordinates(node: folded, &context)
        for session in sessionTable.ofNode(folded) {
            destroySession(session.foldedID, &context)
        }
        nodeTable.remove(entry.name)
        indexes.nodes = context.index
        context.changes.touch(Topic.Kind.node)
        context.changes.touch(.node(folded))
    }

    /// Marks every service of a node: what the node shows in their replies changed.
    mutating func touchAllServices(of name: NodeName, _ context: inout WriteContext) {
        guard let services = nodeTable[name]?.value.services else { return }
        for service in services {
            touchService(service.record, &context)
        }
    }
}

extension NodeRecord {
    /// True when writing `other` would change nothing.
    func isSame(as other: Node) -> Bool {
        Bytes.equal(node.id, other.id)
            && Bytes.equal(node.name, other.name)
            && Bytes.equal(node.address, other.address)
            && Bytes.equal(node.datacenter, other.datacenter)
            && node.taggedAddresses == other.taggedAddresses
            && node.meta == other.meta
    }
}
