import Metrics

/// What a registrar counts.
struct RegistrarMetrics: Sendable {
    /// Heartbeats by result: `success`, `failure`, and `unknown` when the agent had forgotten.
    let succeeded: Counter
    let failed: Counter
    let unknown: Counter

    /// Registrations after the first: the agent had forgotten, or something was changed.
    let reregistrations: Counter

    /// Registrations that the agent refused.
    let refused: Counter

    init(service: String, factory: any MetricsFactory) {
        func heartbeats(_ result: String) -> Counter {
            Counter(
                label: "registration_heartbeats",
                dimensions: [("service", service), ("result", result)],
                factory: factory
            )
        }
        succeeded = heartbeats("success")
        failed = heartbeats("failure")
        unknown = heartbeats("unknown")
        reregistrations = Counter(
            label: "registration_reregistrations",
            dimensions: [("service", service)],
            factory: factory
        )
        refused = Counter(
            label: "registration_refused",
            dimensions: [("service", service)],
            factory: factory
        )
    }
}
