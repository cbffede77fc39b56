/// A session's tie to its node, or to one of the node's checks; all folded.
struct SessionLink: TreeElement {
    let node: String
    /// Empty in the tie to the node itself.
    let check: String
    let session: String

    static func order(_ key: SessionLink, _ element: SessionLink) -> Int {
        let byNode = Bytes.order(key.node, element.node)
        guard byNode == 0 else { return byNode }
        let byCheck = Bytes.order(key.check, element.check)
        return byCheck != 0 ? byCheck : Bytes.order(key.session, element.session)
    }
}

/// The sessions, by id, by node and by the checks they depend on.
struct SessionTable: Sendable {
    private(set) var records = OrderedTree<SessionRecord>()
    private var nodes = OrderedTree<SessionLink>()
    private var checks = OrderedTree<SessionLink>()

    /// The session with this id, in any letter case.
    func find(_ id: String) -> SessionRecord? {
        records.find(id.folded)
    }

    /// The sessions of a node (folded), ascending by id.
    func ofNode(_ node: String) -> [SessionRecord] {
        linked(in: nodes, node: node, check: "")
    }

    /// The sessions that depend on a node's check (both folded), ascending by id.
    func ofCheck(node: String, check: String) -> [SessionRecord] {
        linked(in: checks, node: node, check: check)
    }

    mutating func insert(_ record: SessionRecord) {
        remove(record.foldedID)
        records.insert(record, at: record.foldedID)
        forEachLink(of: record) { nodeLink, checkLinks in
            nodes.insert(nodeLink, at: nodeLink)
            for link in checkLinks {
                checks.insert(link, at: link)
            }
        }
    }

    @discardableResult
    mutating func remove(_ foldedID: String) -> SessionRecord? {
        guard let record = records.remove(foldedID) else { return nil }
        forEachLink(of: record) { nodeLink, checkLinks in
            nodes.remove(nodeLink)
            for link in checkLinks {
                checks.remove(link)
            }
        }
        return record
    }

    private func forEachLink(
        of record: SessionRecord,
        _ body: (SessionLink, [SessionLink]) -> Void
    ) {
        let node = record.foldedNode
        let session = record.foldedID
        let ids = record.session.checkIDs
        body(
            SessionLink(node: node, check: "", session: session),
            ids.map { SessionLink(node: node, check: $0.folded, session: session) }
        )
    }

    private func linked(
        in tree: OrderedTree<SessionLink>,
        node: String,
        check: String
    ) -> [SessionRecord] {
        var found: [SessionRecord] = []
        let start = SessionLink(node: node, check: check, session: "")
        for link in tree.elements(notBefore: start) {
            guard Bytes.equal(link.node, node), Bytes.equal(link.check, check) else { break }
            if let record = records.find(link.session) {
                found.append(record)
            }
        }
        return found
    }
}
