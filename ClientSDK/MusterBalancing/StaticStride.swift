/// Weighted round robin without a schedule: a turn is taken or skipped by arithmetic alone.
///
/// Sequence number s visits instance s mod n for the (s div n)-th time, and takes it when the
/// weight's running total passes a multiple of the largest weight. Equal weights take every turn;
/// at most n turns are skipped per pick.
///
/// - Source: gRPC A58 and grpc-go `balancer/weightedroundrobin/scheduler.go` (the idea).
enum StaticStride {
    /// The scaled weight of the heaviest instance: a power of two, so that no division is needed.
    static let largest: UInt64 = 65_536

    /// Weights scaled so that the heaviest has `largest`; none falls below 1.
    static func scaled(_ weights: [UInt32]) -> [UInt64] {
        guard let heaviest = weights.max(), heaviest > 0 else { return [] }
        return weights.map { max(1, UInt64($0) * largest / UInt64(heaviest)) }
    }

    /// Whether the instance takes its turn of the given round.
    ///
    /// The offset spreads the turns of equal light instances over the rounds.
    @inline(__always)
    static func takes(weight: UInt64, round: UInt64, position: UInt64) -> Bool {
        let phase = weight &* round &+ position &* (largest / 2)
        return (phase & (largest - 1)) &+ weight >= largest
    }
}
