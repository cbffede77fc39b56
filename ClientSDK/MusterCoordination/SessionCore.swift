/// Decides when a session is renewed and when it no longer counts; does no I/O.
///
/// The registry's clock for the session starts when it takes a request, which is after the request
/// was sent. Time is therefore counted from sending: what is believed to hold here ends before the
/// registry may give the lock to another. The clock is monotonic and goes on while the machine
/// sleeps.
struct SessionCore: Sendable {
    /// What is done next.
    enum Step: Equatable {
        /// Nothing before the moment.
        case sleep(until: ContinuousClock.Instant)
        /// Renew, and give the attempt up after `limit`.
        case renew(limit: Duration)
        /// The session has not been renewed within its TTL.
        case expired
    }

    /// Within what time the session must be renewed.
    private(set) var ttl: Duration
    private var lastSuccess: ContinuousClock.Instant
    private var nextRenewal: ContinuousClock.Instant

    /// Makes a core for a session whose creation was asked for at `sent`.
    init(ttl: Duration, sent: ContinuousClock.Instant) {
        self.ttl = ttl
        lastSuccess = sent
        nextRenewal = sent + ttl / 2
    }

    /// From when on the session does not count any more.
    var deadline: ContinuousClock.Instant { lastSuccess + ttl }

    func next(now: ContinuousClock.Instant) -> Step {
        guard now < deadline else { return .expired }
        guard now < nextRenewal else {
            return .renew(limit: min(ttl / 4, now.duration(to: deadline)))
        }
        return .sleep(until: min(nextRenewal, deadline))
    }

    /// The registry renewed the session.
    ///
    /// - Parameters:
    ///   - sent: When it was asked to.
    ///   - ttl: The TTL it says, which may have become longer; zero says none.
    mutating func renewed(sent: ContinuousClock.Instant, ttl: Duration) {
        if ttl > .zero { self.ttl = ttl }
        lastSuccess = sent
        nextRenewal = sent + self.ttl / 2
    }

    /// An attempt failed without the registry saying that the session is gone.
    mutating func failed(now: ContinuousClock.Instant) {
        nextRenewal = now + Limits.renewalRetry
    }
}
