import HeapModule
import Model

/// Moments at which something of a check falls due, earliest first.
///
/// An entry may be stale: whoever takes it compares it with the check's own deadline. A deadline
/// that only moves later needs no second entry; the stale one puts the new one in its place.
struct DeadlineHeap: Sendable {
    /// Entries due at the same moment come in the order of their checks, so that the same inputs
    /// always give the same effects.
    struct Entry: Comparable, Sendable {
        var due: Instant
        var checkID: String

        static func < (left: Entry, right: Entry) -> Bool {
            left.due != right.due ? left.due < right.due : left.checkID < right.checkID
        }
    }

    private var entries = Heap<Entry>()

    /// The earliest entry's moment, stale or not.
    var earliest: Instant? { entries.min?.due }

    /// Adds an entry in O(log n).
    mutating func push(_ entry: Entry) {
        entries.insert(entry)
    }

    /// Takes the earliest entry if it is due at `now`, in O(log n).
    mutating func pop(dueAt now: Instant) -> Entry? {
        guard let first = entries.min, first.due <= now else { return nil }
        return entries.popMin()
    }
}
