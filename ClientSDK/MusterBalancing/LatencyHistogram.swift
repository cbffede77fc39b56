/// How long calls took lately, kept in a fixed number of buckets.
///
/// Buckets are an eighth of an octave wide, so a quantile is at most 12.5 % too high; latencies
/// below 1 µs and above an hour count as these. Older latencies fade: whenever 4,096 are kept, all
/// counts are halved. A value: who shares it guards it.
public struct LatencyHistogram: Sendable {
    private static let bucketsPerOctave = 8
    private static let octaves = 32

    private var counts = [UInt32](repeating: 0, count: octaves * bucketsPerOctave)

    /// How many latencies are kept; older ones count less than once.
    public private(set) var total = 0

    /// Makes an empty histogram.
    public init() {}

    /// Takes in one latency.
    public mutating func record(_ latency: Duration) {
        counts[Self.bucket(of: latency)] += 1
        total += 1
        guard total >= Limits.latencies else { return }
        total = 0
        for index in counts.indices {
            counts[index] /= 2
            total += Int(counts[index])
        }
    }

    /// The latency that the given share of calls did not exceed; nil while there are too few.
    ///
    /// - Parameters:
    ///   - share: From 0 to 1: 0.95 for the 95th percentile. Clamped.
    ///   - minimum: How many latencies there must be.
    /// - Returns: The upper end of the bucket in which the quantile lies.
    public func quantile(_ share: Double, minimum: Int = 100) -> Duration? {
        guard total >= max(1, minimum) else { return nil }
        let wanted = (min(max(share, 0), 1) * Double(total)).rounded(.up)
        var seen = 0
        for (index, count) in counts.enumerated() {
            seen += Int(count)
            if count > 0, Double(seen) >= wanted { return Self.upperEnd(of: index) }
        }
        return nil
    }

    /// In units of 1/8 µs, so that the first octave's buckets are whole.
    private static func bucket(of latency: Duration) -> Int {
        let attoseconds = max(latency, .microseconds(1)).attoseconds
        let units = UInt64(clamping: attoseconds / 125_000_000_000)
        let octave = 63 - units.leadingZeroBitCount - 3
        let part = Int(units >> UInt64(octave)) - bucketsPerOctave
        return min(octave * bucketsPerOctave + part, octaves * bucketsPerOctave - 1)
    }

    private static func upperEnd(of bucket: Int) -> Duration {
        let units = Int64(bucket % bucketsPerOctave + bucketsPerOctave + 1)
        return .nanoseconds((units << Int64(bucket / bucketsPerOctave)) * 125)
    }
}
