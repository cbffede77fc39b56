package import Model

/// A node with its services and checks, as `internal/ui` shows it.
package struct NodeDetails: Sendable {
    package let node: NodeRecord
    /// Ascending by folded id.
    package let services: [ServiceRecord]
    /// Every check of the node, its services' too, ascending by folded id.
    package let checks: [CheckRecord]
}

extension StateStore {
    /// The index of the last change of any node, service or check.
    package var catalogIndex: LogIndex { indexes.catalog }

    /// The instances of a service that have all of `tags`, ascending by folded node name, then id.
    ///
    /// With `connect` those that offer the service through the mesh: its proxies and native
    /// instances.
    /// Serves `health/service`, `catalog/service`, their `connect` forms, and DNS.
    /// - Source: Consul: GET /v1/health/service/:service, GET /v1/health/connect/:service
    package func serviceInstances(
        _ name: String,
        tags: [String] = [],
        nodeMeta: [String: String] = [:],
        connect: Bool = false
    ) -> Answer<[ServiceInstance]> {
        let folded = name.folded
        let topic = connect ? Topic.connect(folded) : .service(folded)
        let tree = connect ? meshGroups : serviceGroups
        guard let group = tree.find(folded)?.cell.value else {
            return Answer([], indexes.missingService, [topic])
        }
        var instances: [ServiceInstance] = []
        instances.reserveCapacity(group.instances.count)
        for element in group.instances {
            guard let instance = instance(element) else { continue }
            guard tags.isEmpty || element.record.hasTags(tags) else { continue }
            guard instance.node.matches(nodeMeta) else { continue }
            instances.append(instance)
        }
        return Answer(instances, group.index, [topic])
    }

    /// Every instance of every service of one kind (nil: of any), ascending by node, then id.
    ///
    /// - Source: Consul: GET /v1/internal/ui/services
    package func serviceDump(kind: ServiceKind? = nil) -> Answer<[ServiceInstance]> {
        var instances: [ServiceInstance] = []
        for entry in nodeTable.all {
            for element in entry.services where kind == nil || element.record.kind == kind {
                instances.append(
                    ServiceInstance(
                        node: entry.record,
                        nodeChecks: entry.nodeChecks,
                        service: element.record,
                        ownChecks: checkList(of: element.record, id: element.record.foldedID)
                    )
                )
            }
        }
        return Answer(instances, indexes.catalog, [.nodes, .services, .checks])
    }

    /// The checks of a node and its services, ascending by folded id; empty when there is no such
    /// node.
    ///
    /// - Source: Consul: GET /v1/health/node/:node
    package func nodeChecks(_ name: String) -> Answer<[CheckRecord]> {
        let folded = name.folded
        guard let entry = nodeTable.find(folded)?.value else {
            return Answer([], max(indexes.nodes, indexes.checks), [.nodeChecks(folded)])
        }
        return Answer(Array(entry.checks), entry.checksIndex, [.nodeChecks(folded)])
    }

    /// One check of a node, or nil.
    package func check(node: String, id: String) -> Answer<CheckRecord?> {
        let folded = node.folded
        let entry = nodeTable.find(folded)?.value
        let index = entry?.checksIndex ?? max(indexes.nodes, indexes.checks)
        return Answer(entry?.checks.find(id.folded), index, [.nodeChecks(folded)])
    }

    /// The checks of a service's instances, ascending by folded node name, then id.
    ///
    /// - Source: Consul: GET /v1/health/checks/:service
    package func serviceChecks(
        _ name: String,
        nodeMeta: [String: String] = [:]
    ) -> Answer<[CheckRecord]> {
        let folded = name.folded
        let topics: [Topic] =
            nodeMeta.isEmpty ? [.serviceChecks(folded)] : [.serviceChecks(folded), .nodes]
        guard let group = serviceGroups.find(folded)?.cell.value else {
            let index = nodeMeta.isEmpty ? indexes.checks : max(indexes.checks, indexes.nodes)
            return Answer([], index, topics)
        }
        var checks: [CheckRecord] = []
        var nodeStart = 0
        var lastSlot: Int32 = -1
        for element in group.instances {
            let node = element.record.nodeName
            if node.slot != lastSlot {
                nodeStart = checks.count
                lastSlot = node.slot
            }
            guard nodeMeta.isEmpty || nodeTable[node]?.value.record.matches(nodeMeta) == true else {
                continue
            }
            let own = element.checks.array
            let needsSort = checks.count > nodeStart && !own.isEmpty
            checks.append(contentsOf: own)
            if needsSort {
                checks[nodeStart...].sort { $1.order($0.foldedID) < 0 }
            }
        }
        let index = nodeMeta.isEmpty ? group.checksIndex : max(group.checksIndex, indexes.nodes)
        return Answer(checks, index, topics)
    }

    /// The checks with a status (nil: with any), ascending by folded node name, then id.
    ///
    /// O(all checks) for passing and any, O(checks that are not passing) otherwise.
    ///
    /// - Source: Consul: GET /v1/health/state/:state
    package func checksInState(
        _ status: CheckStatus?,
        nodeMeta: [String: String] = [:]
    ) -> Answer<[CheckRecord]> {
        var topics: [Topic] = [status.map { .checksInState($0.rawValue) } ?? .checks]
        var index = indexes.checks
        if !nodeMeta.isEmpty {
            topics.append(.nodes)
            index = max(index, indexes.nodes)
        }
        var checks: [CheckRecord] = []
        if let status, status != .passing {
            for element in troubledChecks where element.record.status == status {
                let node = nodeTable[element.record.nodeName]?.value.record
                guard nodeMeta.isEmpty || node?.matches(nodeMeta) == true else { continue }
                checks.append(element.record)
            }
            return Answer(checks, index, topics)
        }
        for entry in nodeTable.all where entry.record.matches(nodeMeta) {
            for check in entry.checks where status == nil || check.status == status {
                checks.append(check)
            }
        }
        return Answer(checks, index, topics)
    }

    /// Every node with its services and checks, ascending by folded name.
    ///
    /// - Source: Consul: GET /v1/internal/ui/nodes
    package func nodeDump() -> Answer<[NodeDetails]> {
        Answer(nodeTable.all.map(details), indexes.catalog, [.nodes, .services, .checks])
    }

    /// One node with its services and checks, or nil.
    ///
    /// - Source: Consul: GET /v1/internal/ui/node/:node
    package func nodeDetails(_ name: String) -> Answer<NodeDetails?> {
        let folded = name.folded
        let topics: [Topic] = [.node(folded), .nodeServices(folded), .nodeChecks(folded)]
        guard let entry = nodeTable.find(folded)?.value else {
            return Answer(nil, indexes.catalog, topics)
        }
        let modified = entry.record.node.indexes.modify
        return Answer(
            details(entry),
            max(modified, entry.servicesIndex, entry.checksIndex),
            topics
        )
    }

    private func details(_ entry: NodeEntry) -> NodeDetails {
        NodeDetails(
            node: entry.record,
            services: entry.services.map(\.record),
            checks: Array(entry.checks)
        )
    }

    /// Joins a service instance with its node; nil never happens for a stored one.
    func instance(_ element: ServiceOfName) -> ServiceInstance? {
        guard let cell = nodeTable[element.record.nodeName] else { return nil }
        return ServiceInstance(
            node: cell.value.record,
            nodeChecks: cell.value.nodeChecks,
            service: element.record,
            ownChecks: element.checks
        )
    }
}
