#if GRPC
import Metrics
import MusterBalancing

/// What a transport counts.
///
/// `muster_grpc_streams` by `result` (success, failure, cancelled), `muster_grpc_reopened` for
/// streams that were opened at another instance, and the gauge `muster_grpc_instances`.
final class GRPCMetrics: CallRecorder {
    let reopened: Counter
    let instances: Gauge
    private let success: Counter
    private let failure: Counter
    private let cancelled: Counter
    private let next: (any CallRecorder)?

    init(service: String, factory: any MetricsFactory, next: (any CallRecorder)?) {
        let service = [("service", service)]
        let streams = { (result: String) in
            Counter(
                label: "muster_grpc_streams",
                dimensions: service + [("result", result)],
                factory: factory
            )
        }
        success = streams("success")
        failure = streams("failure")
        cancelled = streams("cancelled")
        reopened = Counter(label: "muster_grpc_reopened", dimensions: service, factory: factory)
        instances = Gauge(label: "muster_grpc_instances", dimensions: service, factory: factory)
        self.next = next
    }

    func record(_ outcome: CallOutcome, at endpoint: ServiceEndpoint) {
        switch outcome {
        case .success: success.increment()
        case .failure: failure.increment()
        case .cancelled: cancelled.increment()
        }
        next?.record(outcome, at: endpoint)
    }
}
#endif
