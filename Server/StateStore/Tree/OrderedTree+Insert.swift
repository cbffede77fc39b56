extension OrderedTree {
    /// Puts `element` at `key`, which must be the element's own key; returns the element it
    /// replaced.
    @discardableResult
    mutating func insert(_ element: Element, at key: Element.Key) -> Element? {
        guard let node = ownedRoot() else {
            root = TreeNode(elements: [element])
            count = 1
            return nil
        }
        if let replaced = node.insert(element, at: key) {
            return replaced
        }
        count += 1
        if node.elements.count > TreeShape.maximum {
            let top = TreeNode<Element>(elements: [], children: [node])
            top.splitChild(at: 0)
            root = top
        }
        return nil
    }

    /// The root, copied first when another tree has it too.
    mutating func ownedRoot() -> TreeNode<Element>? {
        if root != nil, !isKnownUniquelyReferenced(&root) {
            root = root?.copy()
        }
        return root
    }
}

extension TreeNode {
    /// Inserts below this node, which the caller owns; it may end one element over the maximum.
    func insert(_ element: Element, at key: Element.Key) -> Element? {
        let (place, found) = position(of: key)
        if found {
            let old = elements[place]
            elements[place] = element
            return old
        }
        if isLeaf {
            elements.insert(element, at: place)
            return nil
        }
        let child = ownedChild(at: place)
        let replaced = child.insert(element, at: key)
        if child.elements.count > TreeShape.maximum {
            splitChild(at: place)
        }
        return replaced
    }

    /// The child at `place`, copied first when another node has it too.
    func ownedChild(at place: Int) -> TreeNode {
        if !isKnownUniquelyReferenced(&children[place]) {
            children[place] = children[place].copy()
        }
        return children[place]
    }

    /// Moves the upper part of an overfull child to a new sibling and the element between them up
    /// here.
    ///
    /// At the right edge the left part stays nearly full, so that ascending insertions fill the
    /// tree.
    func splitChild(at place: Int) {
        let left = children[place]
        let atEdge = place == children.count - 1
        let middle = atEdge ? left.elements.count - 4 : left.elements.count / 2
        let separator = left.elements[middle]
        let upper = ContiguousArray(left.elements[(middle + 1)...])
        left.elements.removeSubrange(middle...)
        let right = TreeNode(elements: upper)
        if !left.isLeaf {
            right.children = ContiguousArray(left.children[(middle + 1)...])
            left.children.removeSubrange((middle + 1)...)
        }
        elements.insert(separator, at: place)
        children.insert(right, at: place + 1)
    }
}

extension OrderedTree {
    /// Changes the element with this key where it is; the change must keep its place in the order.
    ///
    /// The element is lent in place, so that a reference in it can be found to be unshared.
    /// Nil when there is no such element.
    mutating func update<Result>(
        _ key: Element.Key,
        _ body: (inout Element) -> Result
    ) -> Result? {
        var current = ownedRoot()
        while let node = current {
            let (place, found) = node.position(of: key)
            if found {
                return body(&node.elements[place])
            }
            current = node.isLeaf ? nil : node.ownedChild(at: place)
        }
        return nil
    }
}

// MARK: Text keys

/// Trees whose keys are bytes are asked by the UTF-8 of a string as well.
extension OrderedTree where Element.Key == UnsafeRawBufferPointer {
    func find(_ key: String) -> Element? {
        Bytes.with(key) { find($0) }
    }

    @discardableResult
    mutating func insert(_ element: Element, at key: String) -> Element? {
        Bytes.with(key) { insert(element, at: $0) }
    }

    @discardableResult
    mutating func remove(_ key: String) -> Element? {
        Bytes.with(key) { remove($0) }
    }

    mutating func update<Result>(
        _ key: String,
        _ body: (inout Element) -> Result
    ) -> Result? {
        Bytes.with(key) { update($0, body) }
    }
}
