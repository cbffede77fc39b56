package import MusterAPI
package import MusterBalancing
import Synchronization

/// The pick of one attempt, completed exactly once: by whoever ends the attempt, or when nobody
/// holds it any more.
package final class OpenCall: Sendable {
    private struct State: ~Copyable {
        var pick: Pick?
        /// How long the answer's head took.
        var latency: Duration?
        /// What being dropped means.
        var outcome = CallOutcome.cancelled
    }

    package let endpoint: ServiceEndpoint
    package let started: ContinuousClock.Instant
    private let clock: TimeSource
    private let state: Mutex<State>

    package init(_ pick: consuming Pick, started: ContinuousClock.Instant, clock: TimeSource) {
        endpoint = pick.endpoint
        self.started = started
        self.clock = clock
        state = Mutex(State(pick: pick))
    }

    deinit { settle(nil) }

    package var elapsed: Duration { started.duration(to: clock.now()) }

    /// Notes that the answer's head is there; from now on an answer that is not read to its end
    /// counts as `outcome`.
    package func answered(_ outcome: CallOutcome) {
        let latency = elapsed
        state.withLock { state in
            state.latency = latency
            state.outcome = outcome
        }
    }

    /// Ends the call as its head said.
    package func finish() { settle(nil) }

    /// Ends the call; a second time does nothing.
    package func complete(_ outcome: CallOutcome) { settle(outcome) }

    private func settle(_ told: CallOutcome?) {
        let now = clock.now()
        let whole = started.duration(to: now)
        var outcome = CallOutcome.cancelled
        var latency = whole
        let pick = state.withLock { state in
            outcome = told ?? state.outcome
            latency = state.latency ?? whole
            return state.pick.take()
        }
        // After the unlock: this may call somebody's recorder.
        if let pick { pick.complete(outcome, latency: latency, at: now) }
    }
}
