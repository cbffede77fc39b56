import NIOCore

/// A binary heap of deadlines whose elements know their place, so that any may be removed.
///
/// Insertion and removal cost the logarithm of the count.
struct DeadlineHeap {
    class Element {
        let deadline: NIODeadline
        /// Its place in the heap, or -1 outside.
        fileprivate(set) var heapPosition = -1

        init(deadline: NIODeadline) {
            self.deadline = deadline
        }
    }

    private var elements: [Element] = []

    var count: Int { elements.count }

    /// The element whose deadline comes first.
    var first: Element? { elements.first }

    mutating func insert(_ element: Element) {
        precondition(element.heapPosition == -1, "the element is in the heap already")
        element.heapPosition = elements.count
        elements.append(element)
        siftUp(from: element.heapPosition)
    }

    /// Removes an element; nothing happens when it is not there.
    mutating func remove(_ element: Element) {
        let position = element.heapPosition
        guard elements.indices.contains(position), elements[position] === element else { return }
        let last = elements.removeLast()
        element.heapPosition = -1
        guard last !== element else { return }
        elements[position] = last
        last.heapPosition = position
        siftUp(from: position)
        siftDown(from: last.heapPosition)
    }

    private mutating func siftUp(from start: Int) {
        var position = start
        while position > 0 {
            let parent = (position - 1) / 2
            guard elements[position].deadline < elements[parent].deadline else { return }
            swap(position, parent)
            position = parent
        }
    }

    private mutating func siftDown(from start: Int) {
        var position = start
        while true {
            var least = position
            for child in [2 * position + 1, 2 * position + 2] where child < elements.count {
                if elements[child].deadline < elements[least].deadline { least = child }
            }
            guard least != position else { return }
            swap(position, least)
            position = least
        }
    }

    private mutating func swap(_ left: Int, _ right: Int) {
        elements.swapAt(left, right)
        elements[left].heapPosition = left
        elements[right].heapPosition = right
    }
}
