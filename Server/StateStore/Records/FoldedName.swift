/// A folded name in one allocation, with what else is known of it; records share it.
struct FoldedName<Info: Sendable>: Sendable {
    private let storage: RecordStorage<Header>

    private struct Header: Sendable {
        let info: Info
        let count: Int
        let topicHash: UInt64
    }

    init(folded: String, _ info: Info) {
        let count = folded.utf8.count
        let hash = Bytes.with(folded) { Topic.hash($0) }
        let header = Header(info: info, count: count, topicHash: hash)
        storage = RecordStorage(header, count: count) { target in
            Bytes.with(folded) { target.copyMemory(from: $0) }
        }
    }

    var info: Info { storage.header.info }
    /// What topics of this name carry.
    var topicHash: UInt64 { storage.header.topicHash }
    var folded: String { storage.text(from: 0, count: storage.header.count) }

    @inline(__always)
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        storage.withBytes(from: 0, count: storage.header.count, body)
    }
}

extension FoldedName: TreeElement {
    @inline(__always)
    static func order(_ key: UnsafeRawBufferPointer, _ element: FoldedName) -> Int {
        element.withBytes { Bytes.order(key, $0) }
    }
}

/// What a service or check knows of its node: the name it sorts by, and the slot to find it at.
typealias NodeName = FoldedName<Int32>

extension FoldedName<Int32> {
    var slot: Int32 { info }
}

/// A service's name, shared by its instances: folded, and as it was written.
typealias ServiceName = FoldedName<String>

extension FoldedName<String> {
    var name: String { info }
}

/// Where in the order of (node, id) a record is looked up; both folded.
struct NodeScopedKey {
    let node: UnsafeRawBufferPointer
    let id: UnsafeRawBufferPointer

    @inline(__always)
    static func with<Result>(
        _ node: NodeName,
        _ id: String,
        _ body: (NodeScopedKey) -> Result
    ) -> Result {
        node.withBytes { node in
            Bytes.with(id) { body(NodeScopedKey(node: node, id: $0)) }
        }
    }
}
