/// A small fast random number generator with a seed: the same seed gives the same numbers.
///
/// The system's generator asks the kernel for each number on Linux (about 400 ns), far more than
/// a pick may cost. This one is not for secrets.
///
/// - Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (SplitMix64).
public struct SeededRandom: RandomNumberGenerator, Sendable {
    /// What is added to the state for each number: 2^64 divided by the golden ratio.
    static let step: UInt64 = 0x9e37_79b9_7f4a_7c15

    private var state: UInt64

    /// Makes a generator that starts at `seed`.
    public init(seed: UInt64) { state = seed }

    /// The next number, uniform over all 64-bit values.
    public mutating func next() -> UInt64 {
        state &+= Self.step
        return Self.mix(state)
    }

    /// A number drawn uniformly from 0 to 1, 1 excluded.
    public mutating func nextUnit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Scatters the bits of a state into a random number.
    @inline(__always)
    static func mix(_ state: UInt64) -> UInt64 {
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }

    /// Maps a random number onto 0..<bound; `fraction` is what was left over, uniform as well.
    ///
    /// - Source: Lemire, "Fast Random Integer Generation in an Interval", without the rejection:
    ///   the bias is below bound / 2^64.
    @inline(__always)
    static func reduce(_ random: UInt64, below bound: UInt64) -> (value: Int, fraction: UInt64) {
        let product = random.multipliedFullWidth(by: bound)
        return (Int(truncatingIfNeeded: product.high), product.low)
    }
}
