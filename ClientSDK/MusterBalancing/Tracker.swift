import Synchronization

/// What is known about the calls to one instance: one block of two cache lines.
///
/// Threads share it, so every word is an atomic. Blocks come from ``TrackerPool`` and are never
/// given back to the system: a pick may outlive its balancer, and completing it then still finds
/// the block. A block is used again only when it has no call in flight.
///
/// ```
/// word 0  calls in flight                     word 4  latency: Float bits of ticks in the high
/// word 1  failures in a row                           half, when (ticks / 2^20) in the low half
/// word 2  successes since the last review     word 5  probation (``Tracker/Probation``)
/// word 3  failures since the last review      word 6  address of the balancer's ledger
/// ```
struct Tracker: Hashable, Sendable {
    /// No tracker: calls are not followed.
    static let none = Tracker(bits: 0)

    /// Where an ejected instance stands on its way back.
    enum Probation: UInt64 {
        /// It takes calls, or none at all.
        /// Can transition to: `waiting`.
        case none
        /// It may get one call that decides.
        /// Can transition to: `trying`, `none`.
        case waiting
        /// That call is in flight.
        /// Can transition to: `waiting` (given up), `passed`, `failed`.
        case trying
        /// That call succeeded.
        /// Can transition to: `none`.
        case passed
        /// That call failed.
        /// Can transition to: `none`.
        case failed
    }

    /// The block's address.
    let bits: UInt

    @inline(__always)
    private var words: UnsafeMutablePointer<Atomic<UInt64>> {
        guard let words = UnsafeMutablePointer<Atomic<UInt64>>(bitPattern: bits) else {
            preconditionFailure("a tracker at address \(bits)")
        }
        return words
    }

    /// The ledger of the balancer that uses this block.
    @inline(__always)
    var ledger: Ledger { Ledger(bits: UInt(words[6].load(ordering: .relaxed))) }

    /// How many calls are in flight; 0 without a tracker.
    @inline(__always)
    var inFlight: Int {
        bits == 0 ? 0 : Int(truncatingIfNeeded: words[0].load(ordering: .sequentiallyConsistent))
    }

    /// Counts a call that begins.
    @inline(__always)
    func begin() { words[0].wrappingAdd(1, ordering: .sequentiallyConsistent) }

    /// Uncounts a call; the last thing a pick does with the block.
    @inline(__always)
    func end() { words[0].wrappingSubtract(1, ordering: .releasing) }

    /// Makes the block a new instance's; calls in flight are left alone.
    func reset(ledger: Ledger) {
        for index in 1...5 { words[index].store(0, ordering: .relaxed) }
        words[6].store(UInt64(ledger.bits), ordering: .relaxed)
    }

    // MARK: Outcomes

    /// Counts how a call ended; true when so many have failed in a row that somebody should look.
    @inline(__always)
    func count(failed: Bool, limit: UInt64) -> Bool {
        guard failed else {
            if words[1].load(ordering: .relaxed) != 0 { words[1].store(0, ordering: .relaxed) }
            words[2].wrappingAdd(1, ordering: .relaxed)
            return false
        }
        words[3].wrappingAdd(1, ordering: .relaxed)
        return words[1].wrappingAdd(1, ordering: .relaxed).newValue >= limit
    }

    /// How many calls in a row have failed.
    var failuresInARow: UInt64 { words[1].load(ordering: .relaxed) }

    /// What was counted since this was last asked.
    func takeCounts() -> CallCounts {
        CallCounts(
            successes: words[2].exchange(0, ordering: .relaxed),
            failures: words[3].exchange(0, ordering: .relaxed)
        )
    }

    /// Forgets the outcomes so far, as after a return.
    func forgetOutcomes() {
        for index in 1...3 { words[index].store(0, ordering: .relaxed) }
    }

    // MARK: Probation

    /// Where the instance stands on its way back.
    var probation: Probation {
        get { Probation(rawValue: words[5].load(ordering: .acquiring)) ?? .none }
        nonmutating set { words[5].store(newValue.rawValue, ordering: .releasing) }
    }

    /// Moves on from one state; true when it was in that state.
    func move(from: Probation, to: Probation) -> Bool {
        words[5].compareExchange(
            expected: from.rawValue,
            desired: to.rawValue,
            ordering: .acquiringAndReleasing
        ).exchanged
    }

    // MARK: Latency

    /// Takes in a latency: a peak at once, anything lower with time.
    ///
    /// - Parameters:
    ///   - latency: In ticks.
    ///   - moment: Now, in ticks; nil leaves the moment of the last one.
    ///   - rate: By how many halves a latency decays in 2^20 ticks.
    @inline(__always)
    func observe(latency: Int64, at moment: Int64?, rate: Double) {
        let sample = Float(max(1, latency))
        var word = words[4].load(ordering: .relaxed)
        while true {
            let (known, last) = Self.unpack(word)
            let now = moment.map { UInt32(truncatingIfNeeded: $0 >> 20) } ?? last
            let elapsed = Int32(bitPattern: now &- last)
            var mean = sample
            if known >= sample {
                guard elapsed > 0 else { return }
                let kept = Float(Approximation.halved(Double(elapsed) * rate))
                mean = known * kept + sample * (1 - kept)
            }
            let stamp = known > 0 && elapsed < 0 ? last : now
            let (exchanged, original) = words[4].compareExchange(
                expected: word,
                desired: UInt64(mean.bitPattern) << 32 | UInt64(stamp),
                ordering: .relaxed
            )
            if exchanged { return }
            word = original
        }
    }

    /// The latency in ticks as it has decayed until `moment`, 0 while none is known.
    @inline(__always)
    func latency(at moment: Int64?, rate: Double) -> Double {
        let (known, last) = Self.unpack(words[4].load(ordering: .relaxed))
        guard let moment, known > 0 else { return Double(known) }
        let elapsed = Int32(bitPattern: UInt32(truncatingIfNeeded: moment >> 20) &- last)
        return Double(known) * Approximation.halved(Double(elapsed) * rate)
    }

    @inline(__always)
    private static func unpack(_ word: UInt64) -> (latency: Float, moment: UInt32) {
        (Float(bitPattern: UInt32(word >> 32)), UInt32(truncatingIfNeeded: word))
    }
}

/// How calls ended in some span.
struct CallCounts: Hashable {
    var successes: UInt64 = 0
    var failures: UInt64 = 0

    var total: UInt64 { successes + failures }
}
