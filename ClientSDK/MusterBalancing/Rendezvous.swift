/// Every instance bids for a key and the highest bid wins: the fewest keys move on any change.
///
/// ```
/// n words   hash of each instance
/// n words   its weight, a Double's bits
/// ```
///
/// - Source: Thaler, Ravishankar, "Using Name-Based Mappings to Increase Hit Rates" (1998);
///   weights by Schindelhauer, Schomaker (2005): the bid is weight / -log(uniform).
enum Rendezvous {
    /// Builds the words.
    static func words(hashes: [UInt64], weights: [UInt32]) -> [UInt64] {
        hashes + weights.map { Double($0).bitPattern }
    }

    /// The position of the instance that a key belongs to.
    ///
    /// Complexity: O(n), about 10 ns per instance.
    @inline(__always)
    static func position(of key: UInt64, count: Int, word: (Int) -> UInt64) -> Int {
        var best = 0
        var highest = -1.0
        for position in 0..<count {
            let weight = Double(bitPattern: word(count &+ position))
            let bid = bid(hash: word(position), key: key, weight: weight)
            if bid > highest {
                highest = bid
                best = position
            }
        }
        return best
    }

    /// What an instance bids for a key.
    @inline(__always)
    static func bid(hash: UInt64, key: UInt64, weight: Double) -> Double {
        // Uniform over (0, 1), never 0 or 1.
        let draw = Double(StableHash.combine(hash, key) >> 12) * 0x1p-52 + 0x1p-53
        return weight / -Approximation.logarithm(draw)
    }
}
