import MusterBalancing

/// Spreads the first queries of many watches that start together; does no I/O.
///
/// A few start at once, so that a lookup does not wait; the rest of a crowd is spread over a
/// second, so that a registry that many processes ask after a deployment is not hit at one moment.
struct StartSpread {
    private var began: ContinuousClock.Instant?
    private var count = 0
    private var random: SeededRandom

    init(seed: UInt64? = nil) {
        var system = SystemRandomNumberGenerator()
        random = SeededRandom(seed: seed ?? system.next())
    }

    /// How long the next watch puts its first query off.
    mutating func delay(at now: ContinuousClock.Instant) -> Duration {
        if began.map({ now >= $0 + Limits.startSpread }) ?? true {
            began = now
            count = 0
        }
        count += 1
        return count <= Limits.promptStarts ? .zero : Limits.startSpread * random.nextUnit()
    }
}
