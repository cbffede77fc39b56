import Model

/// One service of `catalog/services`.
package struct ServiceListing: Sendable, Hashable {
    package let name: String
    /// Every tag of any instance, ascending by bytes, each once.
    package let tags: [String]
}

/// A node with its service instances.
package struct NodeServices: Sendable {
    package let node: NodeRecord
    /// Ascending by folded id.
    package let services: [ServiceRecord]
}

extension StateStore {
    /// The nodes, ascending by folded name.
    ///
    /// - Source: Consul: GET /v1/catalog/nodes
    package func nodes(nodeMeta: [String: String] = [:]) -> Answer<[NodeRecord]> {
        let records = nodeTable.all.map(\.record).filter { $0.matches(nodeMeta) }
        return Answer(records, indexes.nodes, [.nodes])
    }

    /// The node of this name in any letter case, or nil.
    package func node(_ name: String) -> Answer<NodeRecord?> {
        let folded = name.folded
        let record = nodeTable.find(folded)?.value.record
        return Answer(record, record?.node.indexes.modify ?? indexes.nodes, [.node(folded)])
    }

    /// The node with this identifier, or nil.
    package func node(id: String) -> Answer<NodeRecord?> {
        Answer(nodeTable.find(id: id)?.value.record, indexes.nodes, [.nodes])
    }

    /// The names of all services with their tags, ascending by name.
    ///
    /// The index moves only when the answer does.
    /// - Deviation: Consul's moves with every change of any instance, which wakes every watcher of
    ///   the list.
    /// - Source: Consul: GET /v1/catalog/services
    package func services() -> Answer<[ServiceListing]> {
        var listings: [ServiceListing] = []
        for element in serviceGroups {
            var name: String?
            var tags: [String] = []
            for entry in element.cell.value.tags {
                if let tag = entry.tag {
                    tags.append(tag)
                } else {
                    name.map { listings.append(ServiceListing(name: $0, tags: tags)) }
                    name = entry.name
                    tags = []
                }
            }
            name.map { listings.append(ServiceListing(name: $0, tags: tags)) }
        }
        return Answer(Self.sorted(listings), indexes.serviceNames, [.serviceNames])
    }

    /// The same, counting only instances on nodes with this metadata.
    package func services(nodeMeta: [String: String]) -> Answer<[ServiceListing]> {
        guard !nodeMeta.isEmpty else { return services() }
        var counted = OrderedTree<TagCount>()
        for entry in nodeTable.all where entry.record.matches(nodeMeta) {
            for service in entry.services {
                let name = TagCount(name: service.record.name, tag: nil, count: 1)
                counted.insert(name, at: name)
                for tag in service.record.tags {
                    let key = TagCount(name: name.name, tag: tag, count: 1)
                    counted.insert(key, at: key)
                }
            }
        }
        var listings: [ServiceListing] = []
        for entry in counted {
            if let tag = entry.tag, let last = listings.popLast() {
                listings.append(ServiceListing(name: last.name, tags: last.tags + [tag]))
            } else {
                listings.append(ServiceListing(name: entry.name, tags: []))
            }
        }
        let index = max(indexes.nodes, indexes.services)
        return Answer(listings, index, [.nodes, .services])
    }

    /// Names that differ in letter case sort apart by their bytes, although they are neighbours in
    /// the tree.
    private static func sorted(_ listings: [ServiceListing]) -> [ServiceListing] {
        let inOrder = zip(listings, listings.dropFirst()).allSatisfy {
            Bytes.order($0.name, $1.name) < 0
        }
        return inOrder ? listings : listings.sorted { Bytes.order($0.name, $1.name) < 0 }
    }

    /// A node with its services, or nil when there is no such node.
    ///
    /// - Source: Consul: GET /v1/catalog/node/:node, GET /v1/catalog/node-services/:node
    package func nodeServices(_ name: String) -> Answer<NodeServices?> {
        let folded = name.folded
        let topics: [Topic] = [.node(folded), .nodeServices(folded)]
        guard let entry = nodeTable.find(folded)?.value else {
            return Answer(nil, max(indexes.nodes, indexes.services), topics)
        }
        let value = NodeServices(node: entry.record, services: entry.services.map(\.record))
        return Answer(value, max(entry.record.node.indexes.modify, entry.servicesIndex), topics)
    }

    /// One instance on a node, or nil.
    package func service(node: String, id: String) -> Answer<ServiceRecord?> {
        let folded = node.folded
        let entry = nodeTable.find(folded)?.value
        let record = entry?.services.find(id.folded)?.record
        let index = entry?.servicesIndex ?? max(indexes.nodes, indexes.services)
        return Answer(record, index, [.nodeServices(folded), .node(folded)])
    }
}
