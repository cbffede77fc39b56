public import Metrics

/// What calls to services are counted in.
///
/// `muster_http_calls` and the timer `muster_http_call_duration` have the dimension `result`,
/// one of the ``Result``s; `muster_http_attempts` counts requests sent, `muster_http_retries` and
/// `muster_http_hedges` those that were not the first of their call, and
/// `muster_http_budget_exhausted` those that the retry budget forbade.
public struct HTTPCallMetrics: Sendable {
    /// How a call ended.
    public enum Result: String, CaseIterable, Sendable {
        /// With an answer that is no server error.
        case success
        /// With an answer whose status is a server error.
        case serverError = "server_error"
        /// Without an answer.
        case failure
        /// Without an answer in time.
        case timeout
        /// Without an instance to send it to.
        case noInstance = "no_instance"
        /// Given up by the caller.
        case cancelled
    }

    let attempts: Counter
    let retries: Counter
    let hedges: Counter
    let budgetExhausted: Counter
    private let calls: [Result: Counter]
    private let durations: [Result: Timer]

    /// The counters of calls that name none, made when the first such call is made.
    public static let shared = HTTPCallMetrics()

    /// Makes counters; reuse them, since making them costs more than a call.
    ///
    /// - Parameters:
    ///   - service: The dimension `service`; nil for none.
    ///   - factory: What makes them; nil takes that of the process.
    public init(service: String? = nil, factory: (any MetricsFactory)? = nil) {
        let factory = factory ?? MetricsSystem.factory
        let dimensions = service.map { [("service", $0)] } ?? []
        let counter = { (name: String) in
            Counter(label: "muster_http_\(name)", dimensions: dimensions, factory: factory)
        }
        attempts = counter("attempts")
        retries = counter("retries")
        hedges = counter("hedges")
        budgetExhausted = counter("budget_exhausted")
        var calls: [Result: Counter] = [:]
        var durations: [Result: Timer] = [:]
        for result in Result.allCases {
            let all = dimensions + [("result", result.rawValue)]
            calls[result] = Counter(
                label: "muster_http_calls",
                dimensions: all,
                factory: factory
            )
            durations[result] = Timer(
                label: "muster_http_call_duration",
                dimensions: all,
                factory: factory
            )
        }
        self.calls = calls
        self.durations = durations
    }

    func record(_ result: Result, _ duration: Duration) {
        calls[result]?.increment()
        durations[result]?.recordNanoseconds(
            Int64(clamping: duration.attoseconds / 1_000_000_000)
        )
    }
}
