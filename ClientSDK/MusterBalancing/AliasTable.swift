/// Weighted random choice in constant time: one column, one coin.
///
/// - Source: Vose, "A Linear Algorithm for Generating Random Numbers with a Given Distribution"
///   (Walker's alias method).
struct AliasTable {
    /// One word per column: the coin's threshold in the high half, the other choice in the low.
    let columns: [UInt64]

    /// Builds the table; the sum of `weights` must not be 0.
    ///
    /// Complexity: O(n).
    init(weights: [UInt32]) {
        let count = weights.count
        let total = weights.reduce(UInt64(0)) { $0 + UInt64($1) }
        precondition(count == 0 || total > 0, "an alias table of \(count) weights that are all 0")
        // In units of 1/n of the average, so every column must end up with exactly `total`.
        var mass = weights.map { UInt64($0) * UInt64(count) }
        var light: [Int] = []
        var heavy: [Int] = []
        for index in mass.indices {
            if mass[index] < total { light.append(index) } else { heavy.append(index) }
        }
        var columns = weights.indices.map { UInt64(UInt32.max) << 32 | UInt64($0) }
        while let small = light.popLast(), let large = heavy.last {
            // mass < total, so the quotient is below 2^32.
            let threshold = total.dividingFullWidth(
                (high: mass[small] >> 32, low: mass[small] << 32)
            ).quotient
            columns[small] = threshold << 32 | UInt64(large)
            mass[large] -= total - mass[small]
            if mass[large] < total {
                heavy.removeLast()
                light.append(large)
            }
        }
        self.columns = columns
    }

    /// The choice that a random number makes among `count` columns.
    ///
    /// - Parameters:
    ///   - random: A number uniform over all 64-bit values.
    ///   - count: How many columns there are.
    ///   - column: Reads one column.
    /// - Returns: The position chosen.
    @inline(__always)
    static func choose(
        _ random: UInt64,
        among count: UInt64,
        column: (Int) -> UInt64
    ) -> Int {
        let (first, coin) = SeededRandom.reduce(random, below: count)
        let word = column(first)
        return coin >> 32 < word >> 32 ? first : Int(truncatingIfNeeded: word & 0xffff_ffff)
    }
}
