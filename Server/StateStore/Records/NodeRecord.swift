package import Model

/// A node as the store keeps it, with its JSON.
package final class NodeRecord: Sendable {
    package let node: Node
    /// The name that lookups and topics use.
    package let foldedName: String
    /// The object that `Node` stands for in replies.
    package let json: [UInt8]

    init(_ node: Node, foldedName: String) {
        self.node = node
        self.foldedName = foldedName
        self.json = Fragment.encode(node)
    }

    package var name: String { node.name }

    /// True when the node's metadata has every one of these pairs.
    package func matches(_ nodeMeta: [String: String]) -> Bool {
        nodeMeta.isEmpty
            || nodeMeta.allSatisfy { pair in
                node.meta?[pair.key].map { Bytes.equal($0, pair.value) } ?? false
            }
    }
}
