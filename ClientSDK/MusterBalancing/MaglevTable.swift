/// A table in which instances hold as many slots as their weight says; a key names its slot.
///
/// A look-up is one read. When an instance goes, its slots are divided among the others and only
/// few more change hands.
///
/// ```
/// word 0   slots in the table (m)
/// then     positions of instances, four to a word
/// ```
///
/// - Source: Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer",
///   NSDI 2016, §3.4; weights as Envoy: an instance takes part in as many rounds as its weight's
///   share of the largest.
enum MaglevTable {
    /// Builds a table.
    ///
    /// Complexity: O(m log m + n) expected.
    ///
    /// - Parameters:
    ///   - hashes: What tells the instances apart, the same in all clients.
    ///   - weights: Their weights, none 0.
    ///   - size: The number of slots, a prime.
    /// - Returns: The words.
    static func words(hashes: [UInt64], weights: [UInt32], size: Int) -> [UInt64] {
        guard !weights.isEmpty else { return [] }
        let modulus = UInt64(size)
        var slots = [Int32](repeating: -1, count: size)
        var next = hashes.map { StableHash.combine($0, 0) % modulus }
        let skip = hashes.map { StableHash.combine($0, 1) % (modulus - 1) + 1 }
        for position in turns(weights: weights, size: size).prefix(size).map(Int.init) {
            var slot = next[position]
            while slots[Int(slot)] >= 0 {
                slot += skip[position]
                if slot >= modulus { slot -= modulus }
            }
            slots[Int(slot)] = Int32(position)
            next[position] = slot
        }
        var words = [UInt64](repeating: 0, count: 1 + (size + 3) / 4)
        words[0] = modulus
        for (slot, position) in slots.enumerated() {
            words[1 + slot / 4] |= UInt64(position) << UInt64(16 * (slot % 4))
        }
        return words
    }

    /// Who chooses the next free slot, at least `size` turns: the heaviest in every round, others
    /// whenever their weights have added up to the heaviest.
    ///
    /// Ordered by counting, so that one very heavy instance does not cost a walk over all per slot.
    private static func turns(weights: [UInt32], size: Int) -> [UInt32] {
        let largest = UInt64(weights.max() ?? 1)
        let total = weights.reduce(UInt64(0)) { $0 + UInt64($1) }
        let rounds = (UInt64(size + weights.count) * largest + total - 1) / total
        var starts = [Int](repeating: 0, count: Int(rounds) + 2)
        for weight in weights.map(UInt64.init) {
            for turn in 1...max(1, rounds * weight / largest) {
                starts[Int(min(rounds, (turn * largest + weight - 1) / weight)) + 1] += 1
            }
        }
        for round in 1..<starts.count { starts[round] += starts[round - 1] }
        var turns = [UInt32](repeating: 0, count: starts[starts.count - 1])
        for (position, weight) in weights.map(UInt64.init).enumerated() {
            for turn in 1...max(1, rounds * weight / largest) {
                let round = Int(min(rounds, (turn * largest + weight - 1) / weight))
                turns[starts[round]] = UInt32(position)
                starts[round] += 1
            }
        }
        return turns
    }

    /// The position of the instance that a key belongs to.
    @inline(__always)
    static func position(of key: UInt64, word: (Int) -> UInt64) -> Int {
        let slot = SeededRandom.reduce(key, below: word(0)).value
        let four = word(1 &+ slot / 4)
        return Int(truncatingIfNeeded: (four >> UInt64(16 &* (slot & 3))) & 0xffff)
    }

    /// The least prime that is not below `size`, clamped to what ``Limits`` allow.
    static func prime(atLeast size: Int) -> Int {
        var candidate = max(2, min(size, Limits.maglevSlots))
        while !isPrime(candidate) { candidate += 1 }
        return candidate
    }

    private static func isPrime(_ number: Int) -> Bool {
        var divisor = 2
        while divisor * divisor <= number {
            if number % divisor == 0 { return false }
            divisor += 1
        }
        return true
    }
}
