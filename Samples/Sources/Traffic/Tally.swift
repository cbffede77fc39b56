import MusterBalancing
import Synchronization

/// Counts calls by instance.
final class Tally: Sendable {
    /// What was counted so far.
    struct Counts {
        /// Calls answered, by the instance that did.
        var answered: [ServiceEndpoint: Int] = [:]
        /// Attempts that failed, by instance; most were then answered by another.
        var failed: [ServiceEndpoint: Int] = [:]
        /// Calls that no instance answered.
        var lost = 0
        /// All calls answered.
        var total = 0
        /// How long a call took, smoothed.
        var latency = Duration.zero
    }

    private let counts = Mutex(Counts())

    func answered(by endpoint: ServiceEndpoint, after latency: Duration) {
        counts.withLock { counts in
            counts.answered[endpoint, default: 0] += 1
            counts.total += 1
            counts.latency = counts.latency * 0.95 + latency * 0.05
        }
    }

    func failed(at endpoint: ServiceEndpoint) {
        counts.withLock { $0.failed[endpoint, default: 0] += 1 }
    }

    func lost() { counts.withLock { $0.lost += 1 } }

    var now: Counts { counts.withLock(\.self) }
}
