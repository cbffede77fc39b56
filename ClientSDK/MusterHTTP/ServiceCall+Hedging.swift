import AsyncHTTPClient
import Metrics
import MusterAPI
import MusterBalancing
import MusterDiscovery
import NIOHTTP1

extension ServiceCall {
    private enum Event: Sendable {
        case ended(Outcome)
        case timer
    }

    /// What a hedged call knows while its attempts are under way.
    private struct Hedged {
        var steps: HedgedCall
        var history: CallHistory
        /// What the caller gets when nothing better comes.
        var fallback: Outcome?
        /// When the timer that runs will ring.
        var armed: ContinuousClock.Instant?
    }

    /// Makes attempts that overlap; the first good answer wins and the others are cancelled.
    func runHedged(_ hedging: HTTPHedging) async throws -> Answer {
        let outcome = try await withThrowingTaskGroup(of: Event.self) { group in
            defer { group.cancelAll() }
            var state = Hedged(
                steps: hedging.begin(at: started),
                history: CallHistory(service: target.service)
            )
            while true {
                let now = options.clock.now()
                switch state.steps.next(at: now, budget: balancer.retryBudget) {
                case .send:
                    guard let call = try hedge(&state) else {
                        state.steps.ended(.refused, at: now)
                        continue
                    }
                    group.addTask { .ended(await attempt(call)) }
                    continue
                case .wait(let moment):
                    if state.armed != moment {
                        state.armed = moment
                        group.addTask { [clock = options.clock] in
                            // The sleep only throws when cancelled: nobody listens then.
                            try? await clock.sleep(moment)
                            return .timer
                        }
                    }
                case .waitForAttempts:
                    break
                case .finish:
                    guard let outcome = state.fallback else { throw CancellationError() }
                    return (outcome, state.history)
                }
                if case .ended(let outcome) = try await group.next() ?? .timer {
                    note(outcome, &state, hedging)
                }
            }
        }
        return try finish(outcome.0, outcome.1)
    }

    /// Picks the instance of the next attempt; nil when there is no other.
    private func hedge(_ state: inout Hedged) throws -> OpenCall? {
        guard !state.history.endpoints.isEmpty else {
            let call = try first()
            state.history.began(call.endpoint)
            return call
        }
        // The steps have paid already.
        guard let call = alternative(to: state.history.endpoints, paying: false) else {
            return nil
        }
        options.metrics.hedges.increment()
        state.history.began(call.endpoint)
        return call
    }

    private func note(_ outcome: Outcome, _ state: inout Hedged, _ hedging: HTTPHedging) {
        let now = options.clock.now()
        state.history.note(outcome)
        let mayHelp = mayHelp(outcome) && !Task.isCancelled && remaining > .zero
        switch outcome {
        case .answered(let answer) where !mayHelp:
            if answer.response.status.code < 500 { hedging.record(answer.call.elapsed) }
            state.fallback = outcome
            state.steps.ended(.answered, at: now)
        case .answered:
            state.fallback = outcome
            state.steps.ended(.failed, at: now)
        case .failed:
            // An answer that refuses tells the caller more than no answer.
            if case .answered = state.fallback {} else { state.fallback = outcome }
            state.steps.ended(mayHelp ? .failed : .failedForGood, at: now)
        }
    }
}
