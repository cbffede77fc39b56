/// What a pick sees of a table's instances and of the calls they have in flight.
///
/// Every function gives nil as soon as it finds that the table has changed: what it read then is
/// worth nothing, an address least of all.
struct LoadView {
    let table: PickTable
    let count: Int
    let version: UInt64
    let now: Int64?

    /// The words of the plan begin after the endpoints and those on probation.
    private let rows: Int

    @inline(__always)
    init(table: PickTable, count: Int, version: UInt64, now: Int64?) {
        self.table = table
        self.count = count
        self.version = version
        self.now = now
        rows = count &+ table.probes
    }

    /// The position drawn by weight.
    @inline(__always)
    private func drawn(_ random: UInt64) -> Int {
        AliasTable.choose(random, among: UInt64(count)) { table.plan($0, count: rows) }
    }

    /// A position other than `position`, all alike; the same one when there is no other.
    @inline(__always)
    private func other(than position: Int, _ random: UInt64) -> Int {
        guard count > 1 else { return position }
        let drawn = SeededRandom.reduce(random, below: UInt64(count &- 1)).value
        return drawn >= position ? drawn &+ 1 : drawn
    }

    @inline(__always)
    private func weight(_ position: Int) -> Double {
        Double(table.plan(count &+ position, count: rows))
    }

    /// Calls in flight with the one to come, per weight; 0 for an idle instance.
    @inline(__always)
    private func load(_ position: Int) -> Double? {
        let tracker = table.tracker(position)
        let weight = weight(position)
        guard table.isStill(version) else { return nil }
        let inFlight = tracker.inFlight
        return inFlight == 0 ? 0 : Double(inFlight &+ 1) / weight
    }

    /// The least loaded of `choices`; among idle ones the first, which was drawn by weight.
    @inline(__always)
    func least(of choices: Int, first: UInt64, random: () -> UInt64) -> Int? {
        var best = drawn(first)
        guard var least = load(best) else { return nil }
        for _ in 1..<choices where least > 0 {
            let candidate = other(than: best, random())
            guard let load = load(candidate) else { return nil }
            if load < least || (load == 0 && least > 0) {
                best = candidate
                least = load
            }
        }
        return best
    }

    /// The cheaper of two.
    @inline(__always)
    func fastest(first: UInt64, second: UInt64, rate: Double) -> Int? {
        let one = drawn(first)
        let two = other(than: one, second)
        guard let cost = cost(one, rate: rate), let otherCost = self.cost(two, rate: rate) else {
            return nil
        }
        return otherCost < cost ? two : one
    }

    /// Latency times calls in flight with the one to come, per weight.
    ///
    /// An instance of unknown latency is free while idle, and very dear while its first answer is
    /// awaited.
    @inline(__always)
    private func cost(_ position: Int, rate: Double) -> Double? {
        let tracker = table.tracker(position)
        let weight = weight(position)
        guard table.isStill(version) else { return nil }
        guard tracker != .none else { return 0 }
        let latency = tracker.latency(at: now, rate: rate)
        let inFlight = tracker.inFlight
        guard latency > 0 else { return inFlight == 0 ? 0 : 0x1p50 * Double(inFlight) / weight }
        return latency * Double(inFlight &+ 1) / weight
    }

    /// The position that a key belongs to.
    @inline(__always)
    func keyed(_ key: UInt64) -> Int {
        let word = { (index: Int) in table.plan(index, count: rows) }
        let position =
            switch table.method {
            case .ring: HashRing.position(of: key, word: word)
            case .maglev: MaglevTable.position(of: key, word: word)
            default: Rendezvous.position(of: key, count: count, word: word)
            }
        // Only a torn read leads outside; the caller throws it away.
        return position < count ? position : 0
    }

    /// The position that a key belongs to, or that it is rehashed to while that one is full.
    func bounded(_ key: UInt64, bound: Double, total: Int) -> Int? {
        let words = table.planCount
        let weights = words &- 1 &- count
        let capacity =
            bound * Double(max(0, total) &+ 1) / Double(table.plan(words &- 1, count: rows))
        var hash = key
        var fallback = keyed(key)
        var emptiest = Double.infinity
        for attempt in 0..<Limits.overflowDraws &+ count {
            // After some draws every instance in order: one of them always has room.
            let position =
                attempt < Limits.overflowDraws ? keyed(hash) : attempt &- Limits.overflowDraws
            let tracker = table.tracker(position)
            let weight = Double(table.plan(weights &+ position, count: rows))
            guard table.isStill(version) else { return nil }
            let inFlight = Double(tracker.inFlight)
            if inFlight < (capacity * weight).rounded(.up) { return position }
            if inFlight / weight < emptiest {
                emptiest = inFlight / weight
                fallback = position
            }
            hash = SeededRandom.mix(hash &+ SeededRandom.step)
        }
        return fallback
    }
}
