/// A persistent vector of values addressed by small numbers that are given out and taken back.
///
/// It joins a service instance to its node in two steps, where a lookup by name would take a dozen.
/// A copy costs one reference; a write copies one page and the page list unless it is their only
/// owner.
struct SlotTable<Value: AnyObject & Sendable>: Sendable {
    private static var pageSize: Int { 32 }

    /// Invariant: a page is never changed while it has a second owner.
    private var pages: ContiguousArray<ContiguousArray<Value?>> = []
    /// The numbers that were taken back, next out last.
    private var free: ContiguousArray<Int32> = []
    private var used: Int32 = 0

    /// The value at `slot`, or nil when the slot is free.
    @inline(__always)
    subscript(slot: Int32) -> Value? {
        let page = Int(slot) / Self.pageSize
        guard slot >= 0, page < pages.count else { return nil }
        return pages[page][Int(slot) % Self.pageSize]
    }

    /// Takes the value in and returns its number.
    mutating func add(_ make: (Int32) -> Value) -> Int32 {
        let slot: Int32
        if let last = free.popLast() {
            slot = last
        } else {
            slot = used
            used += 1
        }
        let page = Int(slot) / Self.pageSize
        if page == pages.count {
            pages.append(ContiguousArray(repeating: nil, count: Self.pageSize))
        }
        pages[page][Int(slot) % Self.pageSize] = make(slot)
        return slot
    }

    /// Lends the value's place; nil when the slot is free.
    mutating func update<Result>(_ slot: Int32, _ body: (inout Value) -> Result) -> Result? {
        guard self[slot] != nil else { return nil }
        let page = Int(slot) / Self.pageSize
        return lend(&pages[page][Int(slot) % Self.pageSize], body)
    }

    private func lend<Result>(
        _ place: inout Value?,
        _ body: (inout Value) -> Result
    ) -> Result? {
        guard var value = place.take() else { return nil }
        defer { place = value }
        return body(&value)
    }

    /// Frees the slot.
    mutating func remove(_ slot: Int32) {
        guard self[slot] != nil else { return }
        pages[Int(slot) / Self.pageSize][Int(slot) % Self.pageSize] = nil
        free.append(slot)
    }
}
