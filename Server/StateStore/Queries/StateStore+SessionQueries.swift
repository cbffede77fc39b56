package import Model

extension StateStore {
    /// The session with this id in any letter case, or nil.
    ///
    /// - Source: Consul: GET /v1/session/info/:uuid
    package func session(_ id: String) -> Answer<SessionRecord?> {
        let record = sessionTable.find(id)
        let index = record?.session.indexes.modify ?? indexes.sessions
        return Answer(record, index, [.session(id.folded)])
    }

    /// All sessions, ascending by id.
    ///
    /// - Source: Consul: GET /v1/session/list
    package func sessions() -> Answer<[SessionRecord]> {
        Answer(Array(sessionTable.records), indexes.sessions, [.sessions])
    }

    /// The sessions of a node, ascending by id.
    ///
    /// - Source: Consul: GET /v1/session/node/:node
    package func sessions(node: String) -> Answer<[SessionRecord]> {
        let folded = node.folded
        let index =
            nodeTable.find(folded)?.value.sessionsIndex ?? max(indexes.nodes, indexes.sessions)
        return Answer(sessionTable.ofNode(folded), index, [.nodeSessions(folded)])
    }

    /// All coordinates, ascending by folded node name, then segment.
    ///
    /// - Source: Consul: GET /v1/coordinate/nodes
    package func coordinates() -> Answer<[CoordinateRecord]> {
        Answer(Array(coordinateTree), indexes.coordinates, [.coordinates])
    }

    /// The coordinates of one node, ascending by segment; empty when none are known.
    ///
    /// - Source: Consul: GET /v1/coordinate/node/:node
    package func coordinates(node: String) -> Answer<[CoordinateRecord]> {
        let folded = node.folded
        var found: [CoordinateRecord] = []
        for record in coordinateTree.elements(notBefore: CoordinateKey(node: folded, segment: "")) {
            guard Bytes.equal(record.foldedNode, folded) else { break }
            found.append(record)
        }
        return Answer(found, indexes.coordinates, [.coordinate(folded)])
    }

    /// The autopilot configuration, or nil before the first leader stored one.
    ///
    /// - Source: Consul: GET /v1/operator/autopilot/configuration
    package func autopilotConfiguration() -> Answer<AutopilotConfiguration?> {
        Answer(autopilot, autopilot?.indexes.modify ?? .zero, [.autopilot])
    }
}
