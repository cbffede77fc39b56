/// What an `OrderedTree` holds: an element that knows where a key stands relative to itself.
///
/// Keys need not be stored: a record that carries its key inside is an element of one machine word.
protocol TreeElement: Sendable {
    /// What elements are looked up by.
    associatedtype Key

    /// Below zero when `key` sorts before `element`, zero when they match, above zero when after.
    ///
    /// The order must be total and never change while the element is in a tree.
    static func order(_ key: Key, _ element: Self) -> Int
}

/// A persistent ordered map: a B-tree whose copies share every part that neither side has changed.
///
/// A copy costs one reference. A write copies the path from the root to the leaf, unless this value
/// is the
/// only owner of a part, which it then changes in place.
/// Lookups, insertions and removals take O(log n); iteration allocates one stack, nothing per step.
struct OrderedTree<Element: TreeElement>: Sendable {
    /// Nil when empty.
    ///
    /// Invariant: a node is never changed while it has a second owner.
    var root: TreeNode<Element>?

    /// The number of elements.
    var count = 0

    init() {}

    var isEmpty: Bool { count == 0 }

    /// The element with this key, or nil.
    func find(_ key: Element.Key) -> Element? {
        guard let root else { return nil }
        // The root keeps every node of the path alive: no reference is counted on the way.
        var current = Unmanaged.passUnretained(root)
        while true {
            let step = current._withUnsafeGuaranteedRef { $0.step(towards: key) }
            switch step {
            case .found(let element): return element
            case .missing: return nil
            case .below(let child): current = child
            }
        }
    }
}

/// One node of an `OrderedTree`: up to `TreeShape.maximum` elements, and in an inner node one child
/// more.
// SAFETY: reachable from several threads only while shared, and only changed while uniquely
// referenced.
final class TreeNode<Element: TreeElement>: @unchecked Sendable {
    /// Ascending; never empty except while an operation is under way.
    @exclusivity(unchecked) var elements: ContiguousArray<Element>
    /// Empty in a leaf, otherwise one more than the elements.
    @exclusivity(unchecked) var children: ContiguousArray<TreeNode>

    init(elements: ContiguousArray<Element>, children: ContiguousArray<TreeNode> = []) {
        self.elements = elements
        self.children = children
    }

    var isLeaf: Bool { children.isEmpty }

    /// What a lookup does next.
    enum Step {
        case found(Element)
        case missing
        case below(Unmanaged<TreeNode>)
    }

    @inline(__always)
    func step(towards key: Element.Key) -> Step {
        let (place, found) = position(of: key)
        if found { return .found(elements[place]) }
        if isLeaf { return .missing }
        return .below(children.withUnsafeBufferPointer { Unmanaged.passUnretained($0[place]) })
    }

    /// The position of the key, or of the first element (and so the child) that follows it.
    @inline(__always)
    func position(of key: Element.Key) -> (position: Int, found: Bool) {
        elements.withUnsafeBufferPointer { elements in
            var low = 0
            var high = elements.count
            while low < high {
                let middle = (low &+ high) / 2
                let order = Element.order(key, elements[middle])
                if order == 0 {
                    return (middle, true)
                }
                if order < 0 {
                    high = middle
                } else {
                    low = middle &+ 1
                }
            }
            return (low, false)
        }
    }

    /// A node of its own with the same content.
    func copy() -> TreeNode {
        TreeNode(elements: elements, children: children)
    }
}

/// The fan-out of every tree.
enum TreeShape {
    /// The most elements of a node; one more fits while it is split, and array capacities are
    /// powers of 2.
    static let maximum = 31
    /// Below this a node borrows from or merges with a sibling when something is removed from it.
    static let minimum = 10
}
