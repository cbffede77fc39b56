import Model

/// The instances of one service, or those that offer it through the mesh.
struct ServiceGroup: Sendable {
    let folded: String
    var instances = OrderedTree<ServiceOfName>()
    /// How many instances carry each exact name, and each tag under it.
    var tags = OrderedTree<TagCount>()
    /// When anything that `health/service` shows last changed.
    var index: LogIndex
    /// When one of the instances' checks last changed.
    var checksIndex: LogIndex

    init(folded: String, index: LogIndex) {
        self.folded = folded
        self.index = index
        checksIndex = index
    }

    /// Counts an instance's name and tags in or out; true when a name or tag came or went.
    mutating func count(_ record: ServiceRecord, by step: Int) -> Bool {
        let name = record.storage.header.name.name
        var changed = count(name, nil, by: step)
        for tag in record.tags {
            changed = count(name, tag, by: step) || changed
        }
        return changed
    }

    private mutating func count(_ name: String, _ tag: String?, by step: Int) -> Bool {
        let key = TagCount(name: name, tag: tag, count: 0)
        let left = tags.update(key) { element in
            element.count += step
            return element.count
        }
        guard let left else {
            tags.insert(TagCount(name: name, tag: tag, count: step), at: key)
            return true
        }
        guard left <= 0 else { return false }
        tags.remove(key)
        return true
    }
}

/// How many instances of a service carry a tag; a nil tag counts the instances themselves.
struct TagCount: TreeElement {
    let name: String
    let tag: String?
    var count: Int

    static func order(_ key: TagCount, _ element: TagCount) -> Int {
        let byName = Bytes.order(key.name, element.name)
        guard byName == 0 else { return byName }
        switch (key.tag, element.tag) {
        case (nil, nil): return 0
        case (nil, _): return -1
        case (_, nil): return 1
        case (let left?, let right?): return Bytes.order(left, right)
        }
    }
}

/// A service group in the order of folded names.
struct ServiceGroupElement: TreeElement {
    var cell: Cell<ServiceGroup>

    static func order(_ key: String, _ element: ServiceGroupElement) -> Int {
        Bytes.order(key, element.cell.value.folded)
    }
}
