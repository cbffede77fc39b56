import Metrics
import MusterBalancing

/// What is counted of one watch; every label is a constant, every dimension bounded by the watches.
///
/// - `discovery_watch_requests`, a counter: queries by `result`, which is `changed`, `unchanged`,
///   `limited` or `failed`.
/// - `discovery_watch_age_seconds`: how long ago the instances were last confirmed.
/// - `discovery_snapshot_instances`: how many instances are in use.
/// - `discovery_index_resets`, a counter: how often a registry's index started over.
/// - `discovery_protected`: 1 while instances that the registry does not list stay in use.
/// - `balancer_ejected`: how many instances the balancers have ejected.
/// - `balancer_panicking`: how many balancers pick unhealthy instances for want of others.
/// - `balancer_retry_budget_exhausted`, a counter: retries that a budget refused.
struct DiscoveryMetrics: Sendable {
    private let factory: any MetricsFactory
    private let changed: Counter
    private let unchanged: Counter
    private let limited: Counter
    private let failed: Counter
    private let age: Gauge
    private let instances: Gauge
    private let resets: Counter
    private let protected: Gauge
    private let ejected: Gauge
    private let panicking: Gauge
    private let exhausted: Counter

    init(query: ServiceQuery, factory: any MetricsFactory) {
        self.factory = factory
        let dimensions = [("service", query.name), ("query", query.label)]
        let counter = { Counter(label: $0, dimensions: dimensions, factory: factory) }
        let gauge = { Gauge(label: $0, dimensions: dimensions, factory: factory) }
        let requests = { result in
            Counter(
                label: "discovery_watch_requests",
                dimensions: dimensions + [("result", result)],
                factory: factory
            )
        }
        changed = requests("changed")
        unchanged = requests("unchanged")
        limited = requests("limited")
        failed = requests("failed")
        age = gauge("discovery_watch_age_seconds")
        instances = gauge("discovery_snapshot_instances")
        resets = counter("discovery_index_resets")
        protected = gauge("discovery_protected")
        ejected = gauge("balancer_ejected")
        panicking = gauge("balancer_panicking")
        exhausted = counter("balancer_retry_budget_exhausted")
    }

    func answered(isChange: Bool) {
        (isChange ? changed : unchanged).increment()
    }

    func failed(isLimited: Bool) {
        (isLimited ? limited : failed).increment()
    }

    func published(_ snapshot: ServiceSnapshot) {
        instances.record(snapshot.instances.count)
        let isProtected = if case .protected = snapshot.origin { 1 } else { 0 }
        protected.record(isProtected)
    }

    func confirmed(_ age: Duration, newResets: Int) {
        self.age.record(age / .seconds(1))
        if newResets > 0 { resets.increment(by: Int64(newResets)) }
    }

    func reviewed(ejected: Int, panicking: Int, newRefusals: UInt64) {
        self.ejected.record(ejected)
        self.panicking.record(panicking)
        if newRefusals > 0 { exhausted.increment(by: Int64(clamping: newRefusals)) }
    }

    /// Gives the instruments back: nobody records any more.
    func end() {
        for counter in [changed, unchanged, limited, failed, resets, exhausted] {
            counter.destroy()
        }
        for gauge in [age, instances, protected, ejected, panicking] { gauge.destroy() }
    }
}
