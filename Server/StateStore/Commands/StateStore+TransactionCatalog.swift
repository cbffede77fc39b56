import Model
import Wire

extension StateStore {
    private func currentNode(like node: Node) -> Node? {
        let entry = node.id.isEmpty ? nodeTable.find(node.name.folded) : nodeTable.find(id: node.id)
        return entry?.value.record.node
    }

    mutating func perform(
        _ verb: CatalogOperation,
        _ node: Node,
        _ context: inout WriteContext
    ) throws(StoreError) -> Node? {
        let name = GoQuote.quote(node.name)
        let current = nodeTable.find(node.name.folded)?.value.record.node.indexes.modify
        switch verb {
        case .get:
            guard let found = currentNode(like: node) else {
                throw StoreError("node \(name) doesn't exist")
            }
            return found
        case .cas where (current ?? .zero) != node.indexes.modify:
            throw StoreError("failed to set node \(name), index is stale")
        case .set, .cas:
            try ensureNode(node, &context)
            return currentNode(like: node)
        case .deleteCAS where current != node.indexes.modify:
            throw StoreError("failed to delete node \(name), index is stale")
        case .delete, .deleteCAS:
            deleteNode(node.name.folded, &context)
            return nil
        }
    }

    mutating func perform(
        _ verb: CatalogOperation,
        node: String,
        _ service: CatalogService,
        _ context: inout WriteContext
    ) throws(StoreError) -> CatalogService? {
        let place = "service \(GoQuote.quote(service.id)) on node \(GoQuote.quote(node))"
        let (foldedNode, foldedID) = (node.folded, service.id.folded)
        let current = nodeTable.find(foldedNode)?.value.services.find(foldedID)?.record
        switch verb {
        case .get:
            guard let current else { throw StoreError("\(place) doesn't exist") }
            return current.service
        case .cas where (current?.indexes.modify ?? .zero) != service.indexes.modify:
            throw StoreError("failed to set \(place), index is stale")
        case .set, .cas:
            try ensureService(node: node, service, &context)
            return nodeTable.find(foldedNode)?.value.services.find(foldedID)?.record.service
        case .deleteCAS where current?.indexes.modify != service.indexes.modify:
            throw StoreError("failed to delete \(place), index is stale")
        case .delete, .deleteCAS:
            nodeTable.name(foldedNode).map { deleteService(on: $0, id: foldedID, &context) }
            return nil
        }
    }

    mutating func perform(
        _ verb: CatalogOperation,
        _ check: HealthCheck,
        _ context: inout WriteContext
    ) throws(StoreError) -> HealthCheck? {
        let place = "check \(GoQuote.quote(check.id)) on node \(GoQuote.quote(check.node))"
        let (foldedNode, foldedID) = (check.node.folded, check.id.folded)
        let current = nodeTable.find(foldedNode)?.value.checks.find(foldedID)
        switch verb {
        case .get:
            guard let current else { throw StoreError("\(place) doesn't exist") }
            return current.check
        case .cas where (current?.indexes.modify ?? .zero) != check.indexes.modify:
            throw StoreError("failed to set \(place), index is stale")
        case .set, .cas:
            do throws(StoreError) {
                guard !check.id.isEmpty else {
                    throw StoreError("failed inserting check: object missing primary index")
                }
                try ensureCheck(check, &context)
            } catch {
                // Consul forgets the error of a cas: the step succeeds and changes nothing.
                guard verb == .cas else { throw error }
            }
            return nodeTable.find(foldedNode)?.value.checks.find(foldedID)?.check
        case .deleteCAS where current?.indexes.modify != check.indexes.modify:
            throw StoreError("failed to delete \(place), index is stale")
        case .delete, .deleteCAS:
            nodeTable.name(foldedNode).map { deleteCheck(on: $0, id: foldedID, &context) }
            return nil
        }
    }
}
