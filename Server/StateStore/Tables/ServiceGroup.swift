import Model

/// The instances of one service, or those that offer it through the mesh.
struct ServiceGroup: Sendable {
    var instances = OrderedTree<ServiceOfName>()
    /// How many instances carry each exact name, and each tag under it.
    var tags = OrderedTree<TagCount>()
    /// When anything that `health/service` shows last changed.
    var index: LogIndex
    /// When one of the instances' checks last changed.
    var checksIndex: LogIndex

    /// The tag lists that were last used, for new instances to share.
    private var tagLists: [[String]] = []
    private var lastName: ServiceName?

    init(index: LogIndex) {
        self.index = index
        checksIndex = index
    }

    /// The name as it was written, shared with other instances that have it.
    mutating func name(_ name: String, folded: String) -> ServiceName {
        if let lastName, Bytes.equal(lastName.name, name) {
            return lastName
        }
        let made = ServiceName(folded: folded, name)
        lastName = made
        return made
    }

    /// Puts in a record that is new here, with the checks that it brings.
    mutating func add(
        _ record: ServiceRecord,
        with checks: CheckList,
        at key: NodeScopedKey
    ) -> ServiceOfName {
        let element = ServiceOfName(record: record, checks: checks)
        instances.insert(element, at: key)
        return element
    }

    /// Puts a record in the place of the one that is there, whose checks it keeps; nil when there
    /// is none.
    mutating func replace(with record: ServiceRecord, at key: NodeScopedKey) -> ServiceOfName? {
        instances.update(key) { element in
            element.record = record
            return element
        }
    }

    /// An array equal to `tags` that other instances have, or `tags` itself.
    mutating func sharing(_ tags: [String]) -> [String] {
        guard !tags.isEmpty else { return [] }
        let known = tagLists.first { list in
            list.count == tags.count && zip(list, tags).allSatisfy(Bytes.equal)
        }
        if let known { return known }
        if tagLists.count >= 8 { tagLists.removeFirst() }
        tagLists.append(tags)
        return tags
    }

    /// Counts an instance's name and tags in or out; true when a name or tag came or went.
    mutating func count(_ record: ServiceRecord, by step: Int) -> Bool {
        let name = record.name
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
    let name: FoldedName<Void>
    var cell: Cell<ServiceGroup>

    @inline(__always)
    static func order(_ key: UnsafeRawBufferPointer, _ element: ServiceGroupElement) -> Int {
        FoldedName.order(key, element.name)
    }
}
