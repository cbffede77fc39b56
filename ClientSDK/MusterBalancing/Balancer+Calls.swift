/// What happens after a call to an instance has failed.
public struct FailoverPolicy: Sendable {
    let attempts: Int
    let shouldRetry: @Sendable (any Error) -> Bool

    /// The error goes to the caller.
    public static let none = FailoverPolicy(attempts: 1) { _ in false }

    /// The call is repeated on another instance, as far as the balancer's retry budget allows.
    ///
    /// - Parameters:
    ///   - attempts: How many instances are tried at most, the first included; at most 16.
    ///   - when: Whether an error allows it. Say yes only when the instance cannot have acted on
    ///     the call, or when acting twice does no harm.
    /// - Returns: The policy.
    public static func nextInstance(
        attempts: Int = 2,
        when: @escaping @Sendable (any Error) -> Bool
    ) -> FailoverPolicy {
        FailoverPolicy(attempts: max(1, min(attempts, Limits.attempts)), shouldRetry: when)
    }
}

extension Balancer {
    /// Picks an instance, runs `body` with its endpoint and reports how that ended, and when.
    ///
    /// A call that is repeated goes to an instance that it has not tried, while there is one.
    ///
    /// - Parameters:
    ///   - request: What this call asks for beyond the policy.
    ///   - failover: What happens when `body` throws.
    ///   - isolation: The actor the caller runs on; `body` runs there too.
    ///   - body: The call. `CancellationError` counts as given up, any other error as a failure.
    /// - Returns: What `body` returned.
    /// - Throws: ``BalancingError`` when there is no instance, or what `body` threw last.
    public func withInstance<Result>(
        _ request: PickRequest = .any,
        failover: FailoverPolicy = .none,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (ServiceEndpoint) async throws -> sending Result
    ) async throws -> sending Result {
        var request = request
        var attempt = 1
        var started = clock()
        retryBudget.deposit(at: started)
        while true {
            let pick = try pick(request, at: started)
            let endpoint = pick.endpoint
            do {
                let result = try await body(endpoint)
                let ended = clock()
                pick.complete(.success, latency: started.duration(to: ended), at: ended)
                return result
            } catch {
                let cancelled = error is CancellationError
                let ended = clock()
                pick.complete(
                    cancelled ? .cancelled : .failure,
                    latency: started.duration(to: ended),
                    at: ended
                )
                guard !cancelled, attempt < failover.attempts, !Task.isCancelled,
                    failover.shouldRetry(error), retryBudget.withdraw(at: ended)
                else { throw error }
                started = ended
            }
            attempt += 1
            request.avoiding.append(endpoint)
        }
    }
}
