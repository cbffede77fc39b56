import AsyncHTTPClient
import Logging
import Metrics
import MusterAPI
import MusterBalancing
import MusterDiscovery
import NIOCore
import NIOHTTP1
import Tracing

/// One call to a service: its attempts, until one answers or no other makes sense.
struct ServiceCall: Sendable {
    let client: HTTPClient
    let request: HTTPClientRequest
    let target: ServiceTarget
    let balancer: Balancer
    let retry: HTTPRetryPolicy
    let options: HTTPCallOptions
    let started: ContinuousClock.Instant
    let timeout: Duration
    /// How many bytes of the body belong to the attempt; nil when the caller reads it.
    let collects: Int?
    let span: (any Span)?

    /// An answer, with its body when that was to be collected.
    struct Answer: Sendable {
        var response: HTTPClientResponse
        var body = ByteBuffer()
        let call: OpenCall
    }

    /// How an attempt ended.
    enum Outcome: Sendable {
        case answered(Answer)
        case failed(OpenCall, any Error, FailureKind)
    }

    var isRepeatable: Bool {
        (options.isIdempotent ?? request.isIdempotent) && request.hasReplayableBody
    }

    private var deadline: ContinuousClock.Instant { started + timeout }

    /// How much time the call has left.
    var remaining: Duration { options.clock.now().duration(to: deadline) }

    /// Makes the attempts.
    func run() async throws -> Answer {
        balancer.retryBudget.deposit(at: started)
        if let hedging = options.hedging, isRepeatable {
            return try await runHedged(hedging)
        }
        var history = CallHistory(service: target.service)
        var call = try first()
        while true {
            let outcome = await attempt(call)
            history.note(outcome)
            guard isWorthRepeating(outcome, history),
                let next = alternative(to: history.endpoints)
            else { return try finish(outcome, history) }
            options.metrics.retries.increment()
            announce(outcome, next)
            if case .answered(let answer) = outcome { await drain(answer) }
            call = next
        }
    }

    // MARK: Attempts

    /// Picks an instance.
    private func open(_ request: PickRequest) throws -> OpenCall {
        let now = options.clock.now()
        do {
            let pick = try balancer.pick(request, at: now)
            return OpenCall(pick, started: now, clock: options.clock)
        } catch {
            throw HTTPCallError(
                code: .noInstance,
                service: target.service,
                message: "service \"\(target.service)\" has no instance that takes calls",
                cause: error
            )
        }
    }

    /// The first instance.
    func first() throws -> OpenCall { try open(options.pick) }

    /// An instance that was not tried, or nil; paid from the budget unless that is done elsewhere.
    func alternative(to tried: [ServiceEndpoint], paying: Bool = true) -> OpenCall? {
        guard (balancer.snapshot?.instances.count ?? 0) > tried.count else { return nil }
        var request = options.pick
        request.avoiding += tried
        // Having no other instance is one of the expected outcomes.
        guard let call = try? open(request) else { return nil }
        guard !tried.contains(call.endpoint) else { return nil }
        if paying, !balancer.retryBudget.withdraw(at: options.clock.now()) {
            options.metrics.budgetExhausted.increment()
            options.logger?.debug(
                "The retry budget forbids another attempt",
                metadata: ["service": "\(target.service)"]
            )
            return nil
        }
        return call
    }

    /// Sends the request to the call's instance and tells the balancer how that went.
    func attempt(_ call: OpenCall) async -> Outcome {
        options.metrics.attempts.increment()
        let limit = options.attemptTimeout.map { min($0, remaining) } ?? remaining
        do {
            guard limit > .zero else {
                // It was not asked.
                call.complete(.cancelled)
                throw HTTPClientError.deadlineExceeded
            }
            guard let collects else {
                return .answered(try await send(call, within: limit))
            }
            let answer = try await withTimeLimit(limit, options.clock) {
                var answer = try await send(call, within: limit)
                answer.body = try await answer.response.body.collect(upTo: collects)
                return answer
            }
            return .answered(answer)
        } catch {
            let kind = Task.isCancelled ? .cancelled : self.kind(of: error)
            call.complete(kind == .cancelled || kind == .invalid ? .cancelled : .failure)
            return .failed(call, error, kind)
        }
    }

    private func kind(of error: any Error) -> FailureKind {
        if error is NIOTooManyBytesError { return .invalid }
        let kind = FailureKind(error)
        // A stream's own errors come up unchanged, and cannot be told from the connection's.
        if kind == .unanswered, !(error is HTTPClientError), !request.hasReplayableBody {
            return .invalid
        }
        return kind
    }

    private func send(_ call: OpenCall, within limit: Duration) async throws -> Answer {
        var message = request
        message.url = target.url(at: call.endpoint)
        if !message.headers.contains(name: "Host") {
            switch options.host {
            case .asWritten: message.headers.add(name: "Host", value: target.authority)
            case .fixed(let host): message.headers.add(name: "Host", value: host)
            case .instance: break
            }
        }
        var response = try await client.execute(
            message,
            timeout: TimeAmount(limit),
            logger: options.logger
        )
        call.answered((500...599).contains(response.status.code) ? .failure : .success)
        response.body = .stream(TrackedBody(base: response.body, call: call))
        return Answer(response: response, call: call)
    }

    // MARK: After an attempt

    private func isWorthRepeating(_ outcome: Outcome, _ history: CallHistory) -> Bool {
        history.endpoints.count < retry.attempts && mayHelp(outcome) && !Task.isCancelled
            && remaining > .zero
    }

    /// Whether another instance may do better, and trying does no harm.
    func mayHelp(_ outcome: Outcome) -> Bool {
        switch outcome {
        case .answered(let answer):
            retry.statuses.contains(Int(answer.response.status.code)) && isRepeatable
        case .failed(_, _, .cancelled), .failed(_, _, .invalid):
            false
        case .failed(_, let error, .notSent):
            // Of this request nothing has left: not even a stream has begun.
            retry.allows(error)
        case .failed(_, let error, .unanswered):
            isRepeatable && retry.allows(error)
        }
    }

    /// What the caller gets.
    func finish(_ outcome: Outcome, _ history: CallHistory) throws -> Answer {
        switch outcome {
        case .answered(let answer):
            return answer
        case .failed(_, let error, let kind):
            if Task.isCancelled || kind == .cancelled { throw CancellationError() }
            throw history.error(last: error, kind, isLate: remaining <= .zero)
        }
    }

    func announce(_ outcome: Outcome, _ next: OpenCall) {
        let reason =
            switch outcome {
            case .answered(let answer): "status \(answer.response.status.code)"
            case .failed(_, let error, _): "\(error)"
            }
        span?.addEvent(
            SpanEvent(
                name: "retry",
                attributes: ["reason": .string(reason), "next": .string("\(next.endpoint)")]
            )
        )
        options.logger?.debug(
            "Another instance is tried",
            metadata: [
                "service": "\(target.service)", "reason": "\(reason)", "next": "\(next.endpoint)",
            ]
        )
    }

    /// Reads a short answer that nobody wants to its end, so that its connection can be used again.
    private func drain(_ answer: Answer) async {
        guard collects == nil,
            let length = answer.response.headers.first(name: "Content-Length").flatMap({ Int($0) }),
            length <= Limits.drainedBytes
        else { return }
        // A failure closes the connection, as not reading would have.
        _ = try? await withTimeLimit(min(Limits.drainTime, remaining), .system) {
            try await answer.response.body.collect(upTo: Limits.drainedBytes)
        }
    }
}
