/// A value behind a reference, changed in place by its only owner and copied by any other.
// SAFETY: changed only through `mutate`, which makes a copy of its own unless the reference is
// unique.
final class Cell<Value: Sendable>: @unchecked Sendable {
    @exclusivity(unchecked) private(set) var value: Value

    init(_ value: Value) {
        self.value = value
    }

    /// Changes the value that the reference leads to, for this reference only.
    static func mutate<Result>(
        _ cell: inout Cell<Value>,
        _ body: (inout Value) -> Result
    ) -> Result {
        if !isKnownUniquelyReferenced(&cell) {
            cell = Cell(cell.value)
        }
        return body(&cell.value)
    }
}
