/// A ring on which instances have as many places as their weight says; a key goes to the next.
///
/// The words of a ring:
///
/// ```
/// word 0             how many bits of a key name its bucket (b)
/// word 1             places on the ring (r)
/// words 2…2^b+1      per bucket, the first place at or after its start
/// then r words       place: hash in the upper 48 bits, position of the instance in the lower 16
/// ```
///
/// The buckets, at least as many as places, take the place of a binary search: a look-up finds its
/// place after about one step.
///
/// - Source: gRPC A42 (sizes and how weights become places); Karger et al. (1997).
enum HashRing {
    /// Builds a ring.
    ///
    /// Complexity: O(r log r).
    ///
    /// - Parameters:
    ///   - hashes: What tells the instances apart, the same in all clients.
    ///   - weights: Their weights, none 0.
    ///   - minimum: The least number of places, unless `maximum` is smaller.
    ///   - maximum: The largest number of places, as far as each instance can still have one.
    /// - Returns: The words.
    static func words(
        hashes: [UInt64],
        weights: [UInt32],
        minimum: Int,
        maximum: Int
    ) -> [UInt64] {
        let total = weights.reduce(0.0) { $0 + Double($1) }
        guard let lightest = weights.min(), total > 0 else { return [] }
        let share = Double(lightest) / total
        let wanted = (share * Double(minimum)).rounded(.up) / share
        let scale = min(max(wanted, Double(minimum)), Double(max(maximum, weights.count)))
        var places: [UInt64] = []
        var target = 0.0
        for (position, weight) in weights.enumerated() {
            target += scale * Double(weight) / total
            var number: UInt64 = 0
            while number == 0 || Double(places.count) < target.rounded(.down) {
                let hash = StableHash.combine(hashes[position], number)
                places.append(hash & ~0xffff | UInt64(position))
                number += 1
            }
        }
        places.sort()
        let bits = max(1, Int.bitWidth - (places.count - 1).leadingZeroBitCount)
        var words: [UInt64] = [UInt64(bits), UInt64(places.count)]
        words.reserveCapacity(2 + 1 << bits + places.count)
        var place = 0
        for bucket in 0..<UInt64(1 << bits) {
            let start = bucket << UInt64(64 - bits)
            while place < places.count, places[place] < start { place += 1 }
            words.append(UInt64(place))
        }
        return words + places
    }

    /// The position of the instance that a key belongs to.
    @inline(__always)
    static func position(of key: UInt64, word: (Int) -> UInt64) -> Int {
        let bits = word(0) & 63
        // A torn read may find anything; it must not keep the loop busy for long.
        let most = UInt64(Limits.ringPlaces + Limits.instances)
        let count = Int(truncatingIfNeeded: min(word(1), most))
        let first = 2 &+ 1 << Int(truncatingIfNeeded: bits)
        let bucket = Int(truncatingIfNeeded: key >> (64 &- bits))
        var place = Int(truncatingIfNeeded: word(2 &+ bucket) & 0xffff_ffff)
        while place < count {
            let entry = word(first &+ place)
            if entry | 0xffff >= key { return Int(truncatingIfNeeded: entry & 0xffff) }
            place &+= 1
        }
        return Int(truncatingIfNeeded: word(first) & 0xffff)
    }
}
