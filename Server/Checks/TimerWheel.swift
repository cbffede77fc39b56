/// Entries that fall due at ticks of a clock, in a ring of slots: adding and expiring cost O(1).
///
/// A removed entry stays in its slot until its tick and is skipped there by its owner, who compares
/// serial numbers.
package struct TimerWheel<Entry> {
    private struct Slot {
        var entries: [(tick: UInt64, entry: Entry)] = []
    }

    private var slots: [Slot]
    private let mask: UInt64
    /// The tick up to which entries were taken.
    private var current: UInt64
    package private(set) var count = 0

    /// Makes a wheel of 2^`sizeBits` slots that starts at `tick`.
    package init(sizeBits: Int = 9, startingAt tick: UInt64) {
        slots = Array(repeating: Slot(), count: 1 << sizeBits)
        mask = UInt64(slots.count - 1)
        current = tick
    }

    /// Adds an entry for `tick`, or for the next tick when that one has passed.
    package mutating func add(_ entry: Entry, at tick: UInt64) {
        let tick = max(tick, current + 1)
        slots[Int(tick & mask)].entries.append((tick, entry))
        count += 1
    }

    /// Takes what is due at `tick` and before, earlier ticks first.
    package mutating func advance(to tick: UInt64) -> [Entry] {
        guard tick > current else { return [] }
        guard count > 0 else {
            current = tick
            return []
        }
        var due: [(tick: UInt64, entry: Entry)] = []
        let steps = min(tick - current, UInt64(slots.count))
        for step in 1...steps {
            let position = Int((current + step) & mask)
            guard !slots[position].entries.isEmpty else { continue }
            var kept: [(tick: UInt64, entry: Entry)] = []
            for item in slots[position].entries {
                if item.tick <= tick { due.append(item) } else { kept.append(item) }
            }
            slots[position].entries = kept
        }
        current = tick
        count -= due.count
        due.sort { $0.tick < $1.tick }
        return due.map(\.entry)
    }
}
