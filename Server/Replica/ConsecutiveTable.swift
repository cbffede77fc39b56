public import DequeModule

/// Elements by consecutive numbers, of which mostly the oldest go first.
///
/// Adding and taking are O(1), amortized. Other modules use it for every write: inlinable, and
/// public, because the compiler specialises nothing across modules that is less.
public struct ConsecutiveTable<Element> {
    /// From `lowest` on; nil for those that were taken.
    @usableFromInline var elements: Deque<Element?> = []
    /// The number of the oldest element, or of the next to come when there is none.
    public var lowest: UInt64 = 1
    /// How many elements there are.
    public var count = 0

    /// A table without elements.
    @inlinable
    public init() {}

    /// Adds an element under the next number; numbers may be left out.
    @inlinable
    public mutating func add(_ element: Element, number: UInt64) {
        let next = lowest + UInt64(elements.count)
        precondition(number >= next, "number \(number) before \(next)")
        if elements.isEmpty {
            lowest = number
        } else {
            for _ in next..<number { elements.append(nil) }
        }
        elements.append(element)
        count += 1
    }

    /// The element under a number.
    @inlinable
    public subscript(_ number: UInt64) -> Element? {
        get { place(of: number).flatMap { elements[$0] } }
        set {
            precondition(newValue != nil && self[number] != nil, "only replaces")
            if let place = place(of: number) { elements[place] = newValue }
        }
    }

    /// Removes and returns the element under a number.
    @inlinable
    public mutating func take(_ number: UInt64) -> Element? {
        guard let place = place(of: number), let element = elements[place] else { return nil }
        elements[place] = nil
        count -= 1
        while case .some(.none) = elements.first {
            elements.removeFirst()
            lowest += 1
        }
        return element
    }

    /// Removes everything; in the order of the numbers.
    @inlinable
    public mutating func takeAll() -> [Element] {
        defer {
            lowest += UInt64(elements.count)
            elements = []
            count = 0
        }
        return elements.compactMap { $0 }
    }

    /// The numbers in use, in order.
    @inlinable
    public var numbers: [UInt64] {
        elements.indices.compactMap { elements[$0] == nil ? nil : lowest + UInt64($0) }
    }

    @inlinable
    func place(of number: UInt64) -> Int? {
        guard number >= lowest, number - lowest < UInt64(elements.count) else { return nil }
        return Int(number - lowest)
    }
}
