/// When an instance that answers badly is left out for a while, and how it returns.
///
/// An instance is ejected after failures in a row, or in a periodic review when it fails too often
/// by itself or much more often than the others. It returns after a time that grows with each
/// ejection: by default it first gets one call that decides.
///
/// At most a share of the instances is ejected at a time, and never the last one.
///
/// - Source: gRPC A50 (the reviews, the times, the cap); Finagle `FailureAccrualFactory` (failures
///   in a row, the deciding call).
/// - Deviation: The cap counts the ejected after the next ejection, not before it, so that it is
///   kept; but one instance may always be ejected when there are at least two.
public struct OutlierDetection: Hashable, Sendable {
    /// How an instance comes back when its time is over.
    public enum Return: Hashable, Sendable {
        /// One call is sent to it; success brings it back, failure ejects it for longer.
        case probe
        /// It takes calls as before.
        case immediate
    }

    /// After how many failures without a success between them an instance is ejected.
    ///
    /// nil for never. Default 5; clamped to at least 1.
    public var consecutiveFailures: Int? = 5

    /// The share of failed calls from which an instance is ejected in a review.
    ///
    /// nil for never. Default 0.85, as gRPC A50.
    public var failureShare: Double? = 0.85

    /// By how many standard deviations the success rate may lie below the mean of all instances.
    ///
    /// nil for any. Default 1.9, as gRPC A50. Needs ``minimumInstances``.
    public var successRateDeviations: Double? = 1.9

    /// How many calls an instance must have had since the last review to be judged by shares.
    public var minimumCalls = 50

    /// How many instances must have had that many calls for their rates to be compared.
    public var minimumInstances = 5

    /// How often shares and rates are reviewed; at least 1 ms.
    public var interval = Duration.seconds(10)

    /// How long the first ejection lasts; each further one lasts that much longer.
    public var baseEjection = Duration.seconds(30)

    /// The longest ejection.
    public var longestEjection = Duration.seconds(300)

    /// The largest share of instances that is ejected at a time; clamped to 0…1.
    public var largestShare = 0.1

    /// How an instance comes back.
    public var `return` = Return.probe

    /// Makes the default settings.
    public init() {}
}

extension OutlierDetection {
    /// How many of `count` instances may be ejected at a time: never all.
    func cap(of count: Int) -> Int {
        guard count > 1 else { return 0 }
        let share = min(max(largestShare, 0), 1)
        return share == 0 ? 0 : min(count - 1, max(1, Int(Double(count) * share)))
    }

    /// How long the ejection lasts that is the `number`th in a row, in ticks.
    func ejection(number: Int) -> Int64 {
        let base = max(0, Ticks.of(baseEjection))
        let (product, overflow) = base.multipliedReportingOverflow(by: Int64(max(1, number)))
        return overflow ? Ticks.of(longestEjection) : min(product, Ticks.of(longestEjection))
    }

    /// The positions whose counts say that they answer badly, the worst first.
    ///
    /// - Parameter counts: Outcomes since the last review, of instances that take calls.
    /// - Returns: The positions in `counts`.
    func outliers(_ counts: [CallCounts]) -> [Int] {
        let judged = counts.indices.filter { counts[$0].total >= UInt64(max(1, minimumCalls)) }
        guard !judged.isEmpty else { return [] }
        let rate = { (position: Int) in
            Double(counts[position].successes) / Double(counts[position].total)
        }
        var threshold = -1.0
        if let successRateDeviations, judged.count >= max(1, minimumInstances) {
            let rates = judged.map(rate)
            let mean = rates.reduce(0, +) / Double(rates.count)
            let variance =
                rates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rates.count)
            threshold = mean - successRateDeviations * variance.squareRoot()
        }
        return judged.filter { position in
            let rate = rate(position)
            return rate < threshold || failureShare.map { 1 - rate >= $0 } ?? false
        }.sorted { (rate($0), $0) < (rate($1), $1) }
    }
}
