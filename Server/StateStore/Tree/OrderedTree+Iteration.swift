extension OrderedTree: Sequence {
    /// Walks the elements in ascending order.
    struct Iterator: IteratorProtocol {
        /// The path to the next element: each node with the position of its element that is due.
        private var path: ContiguousArray<(node: TreeNode<Element>, position: Int)> = []

        init(startingAt root: TreeNode<Element>?) {
            descend(from: root)
        }

        /// Starts at the first element that does not sort before `key`.
        init(root: TreeNode<Element>?, notBefore key: Element.Key) {
            var current = root
            while let node = current {
                let (position, found) = node.position(of: key)
                path.append((node, position))
                current = found || node.isLeaf ? nil : node.children[position]
            }
            dropFinished()
        }

        mutating func next() -> Element? {
            guard let top = path.last else { return nil }
            let element = top.node.elements[top.position]
            path[path.count - 1].position += 1
            if !top.node.isLeaf {
                descend(from: top.node.children[top.position + 1])
            }
            dropFinished()
            return element
        }

        private mutating func descend(from start: TreeNode<Element>?) {
            var current = start
            while let node = current {
                path.append((node, 0))
                current = node.isLeaf ? nil : node.children[0]
            }
        }

        private mutating func dropFinished() {
            while let top = path.last, top.position >= top.node.elements.count {
                path.removeLast()
            }
        }
    }

    func makeIterator() -> Iterator {
        Iterator(startingAt: root)
    }

    var underestimatedCount: Int { count }

    /// The elements from the first that does not sort before `key`, ascending.
    func elements(notBefore key: Element.Key) -> IteratorSequence<Iterator> {
        IteratorSequence(Iterator(root: root, notBefore: key))
    }

    /// The smallest element.
    var first: Element? {
        var current = root
        while let node = current, !node.isLeaf {
            current = node.children[0]
        }
        return current?.elements.first
    }
}
