/// When a call that failed at one instance is sent to another one.
///
/// Whatever it says, a call is only repeated when that is safe (its method is idempotent, or the
/// request certainly was not sent; its body can be sent again), never to an instance that it has
/// tried, and as far as the balancer's retry budget allows.
public struct HTTPRetryPolicy: Sendable {
    let attempts: Int
    let statuses: Set<Int>
    let allows: @Sendable (any Error) -> Bool

    /// The first instance's answer or failure is the caller's.
    public static let none = HTTPRetryPolicy(attempts: 1, statuses: []) { _ in false }

    /// Failed calls are repeated at another instance.
    ///
    /// - Parameters:
    ///   - attempts: How many instances are tried at most, the first included; 1…16.
    ///   - statuses: The statuses that mean "another instance may do better". When none does, the
    ///     last such answer is returned.
    ///   - when: May refuse to repeat after an error; nil repeats after all.
    /// - Returns: The policy.
    /// - Source: RFC 9110 §9.2.2 (idempotent methods), §15.6 (502, 503, 504).
    public static func nextInstance(
        attempts: Int = 3,
        statuses: Set<Int> = [502, 503, 504],
        when: (@Sendable (any Error) -> Bool)? = nil
    ) -> HTTPRetryPolicy {
        HTTPRetryPolicy(
            attempts: max(1, min(attempts, Limits.attempts)),
            statuses: statuses,
            allows: when ?? { _ in true }
        )
    }
}
