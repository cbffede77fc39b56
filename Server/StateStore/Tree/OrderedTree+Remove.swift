extension OrderedTree {
    /// Removes the element with this key and returns it; nil when there is none.
    @discardableResult
    mutating func remove(_ key: Element.Key) -> Element? {
        // A miss must not copy the path.
        guard find(key) != nil, let node = ownedRoot() else { return nil }
        let removed = node.remove(key)
        count -= 1
        if node.elements.isEmpty {
            root = node.isLeaf ? nil : node.children[0]
        }
        return removed
    }
}

extension TreeNode {
    /// Removes a key that is somewhere below this node, which the caller owns.
    func remove(_ key: Element.Key) -> Element? {
        let (place, found) = position(of: key)
        if isLeaf {
            return found ? elements.remove(at: place) : nil
        }
        let removed: Element?
        if found {
            removed = elements[place]
            elements[place] = ownedChild(at: place).removeLast()
        } else {
            removed = ownedChild(at: place).remove(key)
        }
        refillChild(at: place)
        return removed
    }

    /// Removes the greatest element below this node, which the caller owns and which is not empty.
    func removeLast() -> Element {
        guard !isLeaf else { return elements.removeLast() }
        let last = children.count - 1
        let removed = ownedChild(at: last).removeLast()
        refillChild(at: last)
        return removed
    }

    /// Brings a child that lost an element back to the minimum, from or with a sibling.
    private func refillChild(at place: Int) {
        guard children[place].elements.count < TreeShape.minimum else { return }
        let left = place > 0 ? place - 1 : place
        let right = left + 1
        guard right < children.count else { return }
        let total = children[left].elements.count + children[right].elements.count + 1
        if total <= TreeShape.maximum {
            mergeChildren(left, right)
        } else {
            balanceChildren(left, right)
        }
    }

    private func mergeChildren(_ left: Int, _ right: Int) {
        let target = ownedChild(at: left)
        let source = children.remove(at: right)
        target.elements.append(elements.remove(at: left))
        target.elements.append(contentsOf: source.elements)
        target.children.append(contentsOf: source.children)
    }

    /// Shares the elements of two neighbours out evenly.
    private func balanceChildren(_ left: Int, _ right: Int) {
        let lower = ownedChild(at: left)
        let upper = ownedChild(at: right)
        var all = lower.elements
        all.append(elements[left])
        all.append(contentsOf: upper.elements)
        let middle = all.count / 2
        lower.elements = ContiguousArray(all[..<middle])
        elements[left] = all[middle]
        upper.elements = ContiguousArray(all[(middle + 1)...])
        guard !lower.isLeaf else { return }
        let grandchildren = lower.children + upper.children
        lower.children = ContiguousArray(grandchildren[...middle])
        upper.children = ContiguousArray(grandchildren[(middle + 1)...])
    }
}
