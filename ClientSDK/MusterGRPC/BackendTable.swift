#if GRPC
import MusterAPI
import MusterBalancing
import Synchronization

/// The connections to the instances, and which of them could not be reached lately.
final class BackendTable: Sendable {
    /// What a task's last stream failed at.
    private struct Failure {
        let endpoint: ServiceEndpoint
        let until: ContinuousClock.Instant
    }

    private struct State {
        var backends: [ServiceEndpoint: Backend] = [:]
        /// Passed over until then while there is another.
        var pausing: [ServiceEndpoint: ContinuousClock.Instant] = [:]
        var failures: [Int: Failure] = [:]
        var hasSnapshot = false
        var isClosed = false
    }

    /// Rings when the instances change and when the table is closed.
    let changed = ChangeSignal()
    private let state = Mutex(State())

    var isClosed: Bool { state.withLock(\.isClosed) }
    var hasSnapshot: Bool { state.withLock(\.hasSnapshot) }
    var count: Int { state.withLock(\.backends.count) }

    func backend(at endpoint: ServiceEndpoint) -> Backend? {
        state.withLock { $0.backends[endpoint] }
    }

    /// The endpoints among `wanted` that have no connection yet.
    func missing(_ wanted: Set<ServiceEndpoint>) -> [ServiceEndpoint] {
        state.withLock { state in wanted.filter { state.backends[$0] == nil } }
    }

    /// Adds a connection; false when the table is closed.
    func add(_ backend: Backend) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.backends[backend.endpoint] = backend
            return true
        }
    }

    /// Keeps only the endpoints in `wanted`; how many others there were.
    func keep(_ wanted: Set<ServiceEndpoint>) -> Int {
        let gone = state.withLock { state in
            state.hasSnapshot = true
            let gone = state.backends.values.filter { !wanted.contains($0.endpoint) }
            for backend in gone {
                state.backends[backend.endpoint] = nil
                state.pausing[backend.endpoint] = nil
            }
            return gone
        }
        for backend in gone { backend.retire() }
        changed.ring()
        return gone.count
    }

    /// Refuses streams from now on.
    func close() {
        let backends = state.withLock { state in
            state.isClosed = true
            let backends = Array(state.backends.values)
            state.backends = [:]
            return backends
        }
        for backend in backends { backend.retire() }
        changed.ring()
    }

    // MARK: Failures

    /// Whom a stream of the present task should pass over.
    func avoided(task: Int?, at now: ContinuousClock.Instant) -> [ServiceEndpoint] {
        state.withLock { state in
            if !state.pausing.isEmpty { state.pausing = state.pausing.filter { $0.value > now } }
            var avoided = Array(state.pausing.keys)
            if let task, let failure = state.failures[task], failure.until > now {
                if !avoided.contains(failure.endpoint) { avoided.append(failure.endpoint) }
            }
            return avoided
        }
    }

    /// Notes that an instance could not be reached.
    func unreachable(_ endpoint: ServiceEndpoint, until: ContinuousClock.Instant) {
        state.withLock { state in
            if state.backends[endpoint] != nil { state.pausing[endpoint] = until }
        }
    }

    /// Notes that an instance was reached.
    func reachable(_ endpoint: ServiceEndpoint) {
        state.withLock { state in
            if !state.pausing.isEmpty { state.pausing[endpoint] = nil }
        }
    }

    /// Notes that a stream of a task failed there: a retry, which comes from the same task, should
    /// go elsewhere.
    func failed(_ endpoint: ServiceEndpoint, task: Int?, until: ContinuousClock.Instant) {
        guard let task else { return }
        state.withLock { state in
            if state.failures.count >= Limits.failures { state.failures = [:] }
            state.failures[task] = Failure(endpoint: endpoint, until: until)
        }
    }
}
#endif
