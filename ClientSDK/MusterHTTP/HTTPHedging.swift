public import MusterBalancing
import Synchronization

/// Sends slow calls to a second instance too, the first good answer winning.
///
/// Keeps how long calls took, so keep one per service and give it to all calls of that service.
/// Further attempts are paid from the balancer's retry budget.
public final class HTTPHedging: Sendable {
    /// When further attempts are made.
    public let policy: HedgingPolicy

    private let latencies = Mutex(LatencyHistogram())

    /// Makes a hedging that knows no latencies yet.
    public init(_ policy: HedgingPolicy) { self.policy = policy }

    /// How long calls took lately.
    public var observed: LatencyHistogram { latencies.withLock(\.self) }

    func record(_ latency: Duration) { latencies.withLock { $0.record(latency) } }

    func begin(at now: ContinuousClock.Instant) -> HedgedCall {
        HedgedCall(policy, latencies: observed, at: now)
    }
}
