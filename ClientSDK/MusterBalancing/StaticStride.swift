/// Weighted round robin without a schedule: a turn is taken or skipped by arithmetic alone.
///
/// In each round every instance has one turn, in order, and takes it when its weight's running
/// total passes a multiple of the largest weight. The heaviest takes every turn. Sixteen turns are
/// decided at once, without a branch; what is left of them is kept in the thread's sequence word:
///
/// ```
/// bits  0-15  turns of this group that are still to be given, one bit each
/// bits 16-19  the lane given last
/// bits 20-31  the group of sixteen instances
/// bits 32-47  the round
/// bits 48-63  which table the turns were decided from
/// ```
///
/// - Source: gRPC A58 and grpc-go `balancer/weightedroundrobin/scheduler.go` (the idea).
enum StaticStride {
    /// How many instances are decided at once.
    static let lanes = 16

    /// The scaled weight of the heaviest instance.
    static let largest: UInt64 = 65_535

    /// Weights scaled so that the heaviest has `largest`, none below 1, four to a word.
    ///
    /// Padded with zeros, which never take a turn, to whole groups. Rounds to nearest: rounding
    /// down would leave several instances short by up to one part in their scaled weight.
    static func packed(_ weights: [UInt32]) -> [UInt64] {
        guard let heaviest = weights.max(), heaviest > 0 else { return [] }
        let groups = (weights.count + lanes - 1) / lanes
        var words = [UInt64](repeating: 0, count: groups * lanes / 4)
        for (position, weight) in weights.enumerated() {
            let scaled =
                (UInt64(weight) * largest + UInt64(heaviest) / 2) / UInt64(heaviest)
            words[position / 4] |= max(1, scaled) << UInt64(16 * (position % 4))
        }
        return words
    }

    /// Which of the sixteen instances of `group` take their turn in `round`, one bit each.
    ///
    /// - Parameters:
    ///   - group: Positions 16 × group and up.
    ///   - round: Counted modulo 65,536, as the arithmetic is.
    ///   - count: How many instances there are; only words that have some are read.
    ///   - word: Reads a word of the packed weights.
    /// - Returns: The lowest bit stands for the first instance of the group.
    @inline(__always)
    static func takers(
        group: UInt64,
        round: UInt64,
        count: Int,
        word: (Int) -> UInt64
    ) -> UInt64 {
        var taken: UInt64 = 0
        let last = (count &- Int(truncatingIfNeeded: group) &* 16 &+ 3) / 4
        for part in 0..<max(0, min(4, last)) {
            let four = word(Int(truncatingIfNeeded: group) &* 4 &+ part)
            for quarter in 0..<4 {
                let weight = (four >> UInt64(16 &* quarter)) & 0xffff
                let lane = UInt64(part &* 4 &+ quarter)
                // The offset spreads the turns of equal light instances over the rounds.
                let offset = (group &* 16 &+ lane) &* 40_503
                let phase = (weight &* round &+ offset) & 0xffff
                let passes = (phase &+ weight) >> 16
                let always = (weight &+ 1) >> 16
                taken |= (passes | always) << lane
            }
        }
        return taken
    }

    /// The next turn that is taken, and the sequence word after it.
    ///
    /// One whole round is enough, since the heaviest takes every turn; only a torn read finds none.
    ///
    /// - Parameters:
    ///   - sequence: The thread's word.
    ///   - count: How many instances there are, at least 1.
    ///   - tag: Which table this is; a sequence that comes from another one is continued.
    ///   - word: Reads a word of the packed weights.
    /// - Returns: The instance's position, and the word to keep.
    @inline(__always)
    static func next(
        _ sequence: UInt64,
        count: Int,
        tag: UInt64,
        word: (Int) -> UInt64
    ) -> (position: Int, sequence: UInt64) {
        var left = sequence & 0xffff
        if left == 0 || sequence >> 48 != tag & 0xffff {
            return refill(sequence, count: count, tag: tag, word: word)
        }
        let lane = UInt64(left.trailingZeroBitCount)
        left &= left &- 1
        let kept = sequence & 0xffff_ffff_fff0_0000 | lane << 16 | left
        return (Int(truncatingIfNeeded: (sequence >> 20 & 0xfff) &* 16 &+ lane), kept)
    }

    /// Decides further groups until one has a turn to give.
    @inline(__always)
    private static func refill(
        _ sequence: UInt64,
        count: Int,
        tag: UInt64,
        word: (Int) -> UInt64
    ) -> (position: Int, sequence: UInt64) {
        let groups = UInt64((count &+ 15) / 16)
        var group = sequence >> 20 & 0xfff
        var round = sequence >> 32 & 0xffff
        var lane = sequence >> 16 & 0xf
        var left: UInt64 = 0
        if sequence >> 48 != tag & 0xffff {
            if group &* 16 &+ lane >= UInt64(count) {
                // New, or the list became shorter: clients do not all begin at the same place.
                let place = SeededRandom.reduce(SeededRandom.mix(sequence), below: UInt64(count))
                group = UInt64(place.value) / 16
                lane = UInt64(place.value) % 16
            }
            left = takers(group: group, round: round, count: count, word: word) & (~1 << lane)
        }
        var tries: UInt64 = 0
        while left == 0 {
            guard tries <= groups else { return (0, sequence) }
            tries &+= 1
            group &+= 1
            if group >= groups {
                group = 0
                round = (round &+ 1) & 0xffff
            }
            left = takers(group: group, round: round, count: count, word: word)
        }
        lane = UInt64(left.trailingZeroBitCount)
        left &= left &- 1
        let kept = (tag & 0xffff) << 48 | round << 32 | group << 20 | lane << 16 | left
        return (Int(truncatingIfNeeded: group &* 16 &+ lane), kept)
    }
}
