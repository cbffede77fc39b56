import Synchronization

/// What the trackers of one balancer share: its settings, and the bell that asks for a review.
///
/// A block of the same size and life as a ``Tracker``.
///
/// ```
/// word 0  1 while a review is asked for       word 5  least latency of a failed call, ticks
/// word 1  when that was, ticks                word 8  calls in flight at all instances
/// word 2  when the next review is due         word 9  the newest moment anybody told, ticks
/// word 3  failures in a row that ring
/// word 4  decay of latencies, Double bits, 0 for none
/// word 6  1 when the total in flight is kept  word 7  1 when outcomes are counted
/// ```
struct Ledger: Hashable, Sendable {
    /// What the words 3 to 7 are set to.
    struct Settings {
        var failuresInARow: Int?
        var decay: Duration?
        var penalty: Duration = .zero
        var keepsTotal = false
        var countsOutcomes = false
    }

    let bits: UInt

    @inline(__always)
    private var words: UnsafeMutablePointer<Atomic<UInt64>> {
        guard let words = UnsafeMutablePointer<Atomic<UInt64>>(bitPattern: bits) else {
            preconditionFailure("a ledger at address \(bits)")
        }
        return words
    }

    /// Makes the block a new balancer's.
    func reset(_ settings: Settings) {
        for index in 0...9 { words[index].store(0, ordering: .relaxed) }
        deadline = .max
        words[3].store(settings.failuresInARow.map(UInt64.init) ?? .max, ordering: .relaxed)
        if let decay = settings.decay {
            let spans = Double(1 << 20) / Double(max(1, Ticks.of(decay)))
            let halvings = spans * 1.442_695_040_888_963_4
            words[4].store(halvings.bitPattern, ordering: .relaxed)
        }
        words[5].store(UInt64(max(0, Ticks.of(settings.penalty))), ordering: .relaxed)
        words[6].store(settings.keepsTotal ? 1 : 0, ordering: .relaxed)
        words[7].store(settings.countsOutcomes ? 1 : 0, ordering: .relaxed)
    }

    /// By how many halves a latency decays in 2^20 ticks; 0 when latencies are not kept.
    @inline(__always)
    var decay: Double { Double(bitPattern: words[4].load(ordering: .relaxed)) }

    /// Whether a review is asked for.
    @inline(__always)
    var isRung: Bool { words[0].load(ordering: .relaxed) != 0 }

    /// When the next review is due, in ticks; `Int64.max` for never.
    @inline(__always)
    var deadline: Int64 {
        get { Int64(bitPattern: words[2].load(ordering: .relaxed)) }
        nonmutating set { words[2].store(UInt64(bitPattern: newValue), ordering: .relaxed) }
    }

    /// Asks for a review.
    func ring(at moment: Int64?) {
        if let moment { words[1].store(UInt64(bitPattern: moment), ordering: .relaxed) }
        words[0].store(1, ordering: .releasing)
    }

    /// Answers the bell: the moment it was rung at, as far as known, or nil when it was not.
    func answer() -> Int64? {
        guard words[0].exchange(0, ordering: .acquiring) != 0 else { return nil }
        return Int64(bitPattern: words[1].load(ordering: .relaxed))
    }

    /// How many calls are in flight at all instances together.
    @inline(__always)
    var total: Int { Int(truncatingIfNeeded: words[8].load(ordering: .relaxed)) }

    /// Counts a call that begins, if the total is kept.
    @inline(__always)
    func begin() {
        if words[6].load(ordering: .relaxed) != 0 { words[8].wrappingAdd(1, ordering: .relaxed) }
    }

    /// Takes in how a call ended; the tracker's in-flight count still has it.
    func settle(_ tracker: Tracker, _ outcome: CallOutcome, latency: Int64?, at moment: Int64?) {
        if words[6].load(ordering: .relaxed) != 0 {
            words[8].wrappingSubtract(1, ordering: .relaxed)
        }
        guard outcome != .cancelled else { return }
        let failed = outcome == .failure
        let rate = decay
        if rate > 0 {
            let least = Int64(bitPattern: words[5].load(ordering: .relaxed))
            if let latency = failed ? max(latency ?? 0, least) : latency {
                tracker.observe(latency: latency, at: moment, rate: rate)
            }
        }
        guard words[7].load(ordering: .relaxed) != 0 else { return }
        if tracker.count(failed: failed, limit: words[3].load(ordering: .relaxed)) {
            ring(at: moment)
        }
    }
}
