import Model

/// Everything that belongs to one node.
struct NodeEntry: Sendable {
    let name: NodeName
    var record: NodeRecord
    var services = OrderedTree<ServiceOfNode>()
    /// Every check of the node, its services' too.
    var checks = OrderedTree<CheckRecord>()
    /// The checks of the node itself, ascending by folded id.
    var nodeChecks: [CheckRecord] = []
    /// When the set of services or one of them last changed.
    var servicesIndex: LogIndex
    var checksIndex: LogIndex
    var sessionsIndex: LogIndex

    init(name: NodeName, record: NodeRecord, index: LogIndex) {
        self.name = name
        self.record = record
        servicesIndex = index
        checksIndex = index
        sessionsIndex = index
    }
}

/// A node's identifier, to find nodes by.
struct NodeIdentifier: TreeElement {
    let folded: String
    let name: NodeName

    static func order(_ key: UnsafeRawBufferPointer, _ element: NodeIdentifier) -> Int {
        Bytes.with(element.folded) { Bytes.order(key, $0) }
    }
}

/// The nodes, by folded name, by identifier and by slot.
struct NodeTable: Sendable {
    private(set) var names = OrderedTree<NodeName>()
    private(set) var identifiers = OrderedTree<NodeIdentifier>()
    private var slots = SlotTable<Cell<NodeEntry>>()

    var count: Int { names.count }

    /// The node with this folded name, for reading.
    ///
    /// Whoever keeps the cell or a tree of it while the node is changed makes the change copy them.
    func find(_ folded: String) -> Cell<NodeEntry>? {
        names.find(folded).flatMap { slots[$0.slot] }
    }

    /// The node with this identifier, in any letter case.
    func find(id: String) -> Cell<NodeEntry>? {
        identifiers.find(id.folded).flatMap { slots[$0.name.slot] }
    }

    /// What services and checks know the node with this folded name by.
    func name(_ folded: String) -> NodeName? {
        names.find(folded)
    }

    subscript(name: NodeName) -> Cell<NodeEntry>? {
        @inline(__always) get { slots[name.slot] }
    }

    func service(_ name: NodeName, _ foldedID: String) -> ServiceRecord? {
        slots[name.slot]?.value.services.find(foldedID)?.record
    }

    func check(_ name: NodeName, _ foldedID: String) -> CheckRecord? {
        slots[name.slot]?.value.checks.find(foldedID)
    }

    /// The nodes ascending by folded name.
    var all: some Sequence<NodeEntry> {
        names.lazy.compactMap { slots[$0.slot]?.value }
    }

    /// Takes in a node whose name is new.
    mutating func add(_ record: NodeRecord, at index: LogIndex) {
        let folded = record.foldedName
        var made: NodeName?
        _ = slots.add { slot in
            let name = NodeName(folded: folded, slot)
            made = name
            return Cell(NodeEntry(name: name, record: record, index: index))
        }
        guard let name = made else { return }
        names.insert(name, at: folded)
        link(record, name)
    }

    /// Replaces the record of a node that is there.
    mutating func replace(_ record: NodeRecord, of name: NodeName) {
        guard let old = self[name]?.value.record else { return }
        if !old.node.id.isEmpty {
            identifiers.remove(old.node.id.folded)
        }
        link(record, name)
        update(name) { $0.record = record }
    }

    /// Lends one node's entry; nil when it is gone.
    @discardableResult
    mutating func update<Result>(
        _ name: NodeName,
        _ body: (inout NodeEntry) -> Result
    ) -> Result? {
        slots.update(name.slot) { cell in Cell.mutate(&cell, body) }
    }

    mutating func remove(_ name: NodeName) {
        guard let record = self[name]?.value.record else { return }
        if !record.node.id.isEmpty {
            identifiers.remove(record.node.id.folded)
        }
        name.withBytes { _ = names.remove($0) }
        slots.remove(name.slot)
    }

    private mutating func link(_ record: NodeRecord, _ name: NodeName) {
        guard !record.node.id.isEmpty else { return }
        let folded = record.node.id.folded
        identifiers.insert(NodeIdentifier(folded: folded, name: name), at: folded)
    }
}
