import Model

/// Moments at which something of a check falls due, earliest first.
///
/// An entry may be stale: whoever takes it compares it with the check's own deadline. A deadline
/// that only moves later needs no second entry; the stale one puts the new one in its place.
struct DeadlineHeap: Sendable {
    struct Entry: Sendable {
        var due: Instant
        var checkID: String
    }

    private var entries: [Entry] = []

    /// The earliest entry's moment, stale or not.
    var earliest: Instant? { entries.first?.due }

    /// Adds an entry in O(log n).
    mutating func push(_ entry: Entry) {
        entries.append(entry)
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].due < entries[parent].due else { break }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes the earliest entry if it is due at `now`, in O(log n).
    mutating func pop(dueAt now: Instant) -> Entry? {
        guard let first = entries.first, first.due <= now else { return nil }
        let last = entries.removeLast()
        if !entries.isEmpty {
            entries[0] = last
            siftDown()
        }
        return first
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < entries.count && entries[child].due < entries[least].due {
                least = child
            }
            guard least != parent else { return }
            entries.swapAt(parent, least)
            parent = least
        }
    }
}
