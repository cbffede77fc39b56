package import Model

/// A session with its JSON.
package final class SessionRecord: Sendable {
    package let session: Session
    /// The object that `Session` stands for in replies.
    package let json: [UInt8]
    let foldedID: String
    let foldedNode: String

    init(_ session: Session) {
        self.session = session
        foldedID = session.id.folded
        foldedNode = session.node.folded
        json = Fragment.encode(session)
    }
}

extension SessionRecord: TreeElement {
    static func order(_ key: String, _ element: SessionRecord) -> Int {
        Bytes.order(key, element.foldedID)
    }
}

/// A node's coordinate in one segment, with its JSON.
package final class CoordinateRecord: Sendable {
    package let coordinate: NodeCoordinate
    package let json: [UInt8]
    let foldedNode: String
    let foldedSegment: String

    init(_ coordinate: NodeCoordinate) {
        self.coordinate = coordinate
        foldedNode = coordinate.node.folded
        foldedSegment = coordinate.segment.folded
        json = Fragment.encode(coordinate)
    }
}

extension CoordinateRecord: TreeElement {
    static func order(_ key: CoordinateKey, _ element: CoordinateRecord) -> Int {
        let byNode = Bytes.order(key.node, element.foldedNode)
        return byNode != 0 ? byNode : Bytes.order(key.segment, element.foldedSegment)
    }
}

/// Where a coordinate is looked up; both folded.
struct CoordinateKey {
    let node: String
    let segment: String
}
