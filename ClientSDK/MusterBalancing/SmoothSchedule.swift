/// The order in which smooth weighted round robin visits instances, computed once per snapshot.
///
/// Each instance appears as often as its weight (after division by the greatest common divisor)
/// and its turns are spread evenly: weights 5, 1, 1 give `a a b a c a a`, not `a a a a a b c`.
///
/// - Source: nginx `ngx_http_upstream_round_robin.c`: each step adds every weight to its current
///   value, takes the largest, and subtracts the total from it.
struct SmoothSchedule {
    /// Positions of instances, in the order of their turns.
    let steps: [UInt32]

    /// Computes the schedule of `weights`; none may be 0.
    ///
    /// Complexity: O(length × instances), bounded by `Limits.scheduleWork`.
    init(weights: [UInt32]) {
        let reduced = Self.reduce(weights)
        let total = reduced.reduce(Int64(0)) { $0 + Int64($1) }
        var current = [Int64](repeating: 0, count: reduced.count)
        var steps: [UInt32] = []
        steps.reserveCapacity(Int(total))
        for _ in 0..<total {
            var best = 0
            for index in reduced.indices {
                current[index] += Int64(reduced[index])
                if current[index] > current[best] { best = index }
            }
            current[best] -= total
            steps.append(UInt32(best))
        }
        self.steps = steps
    }

    /// Divides by the greatest common divisor, then scales down until the cycle is affordable.
    static func reduce(_ weights: [UInt32]) -> [UInt32] {
        guard !weights.isEmpty else { return [] }
        let limit = UInt64(
            max(
                weights.count,
                min(Limits.scheduleSteps, Limits.scheduleWork / weights.count)
            )
        )
        var reduced = divided(weights)
        var total = reduced.reduce(UInt64(0)) { $0 + UInt64($1) }
        while total > limit, reduced.contains(where: { $0 > 1 }) {
            // Rounding up to 1 can leave the total above the limit; each round comes closer.
            let excess = total
            reduced = divided(
                reduced.map { UInt32(max(1, UInt64($0) * limit / (excess + limit / 64 + 1))) }
            )
            total = reduced.reduce(UInt64(0)) { $0 + UInt64($1) }
        }
        return reduced
    }

    private static func divided(_ weights: [UInt32]) -> [UInt32] {
        let divisor = weights.reduce(UInt32(0)) { greatestCommonDivisor($0, $1) }
        return divisor > 1 ? weights.map { $0 / divisor } : weights
    }

    private static func greatestCommonDivisor(_ first: UInt32, _ second: UInt32) -> UInt32 {
        var (first, second) = (first, second)
        while second != 0 { (first, second) = (second, first % second) }
        return first
    }
}
