import Logging
import MusterAPI
import Synchronization

/// A session that is kept alive for one tenure.
final class Session: Sendable {
    let id: String
    private let client: MusterClient
    private let options: LockOptions
    private let core: Mutex<SessionCore>

    private init(
        id: String,
        sent: ContinuousClock.Instant,
        client: MusterClient,
        options: LockOptions
    ) {
        self.id = id
        self.client = client
        self.options = options
        core = Mutex(SessionCore(ttl: options.sessionTTL, sent: sent))
    }

    /// Creates a session; tries again while the registry does not answer.
    ///
    /// Not given up halfway: a session nobody knows of would keep its TTL long. When the caller is
    /// cancelled meanwhile it is returned all the same, to be destroyed.
    static func create(
        behavior: LockOptions.Behavior,
        patience: Patience,
        client: MusterClient,
        options: LockOptions
    ) async throws -> Session {
        let request = SessionRequest(
            name: options.sessionName,
            lockDelay: options.lockDelay,
            behavior: behavior.rawValue,
            ttl: options.sessionTTL
        )
        var backoff = Backoff(base: Limits.backoffBase, cap: Limits.longestBackoff)
        var random = SystemRandomNumberGenerator()
        while true {
            try Task.checkCancellation()
            let sent = options.clock.now()
            do {
                let id = try await shielded(grace: Limits.leaving, clock: options.clock) {
                    try await client.session.create(request, options: options.writeOptions)
                }
                return Session(id: id, sent: sent, client: client, options: options)
            } catch let error as MusterError where error.isTransient {
                options.logger.warning(
                    "No session can be created",
                    metadata: ["key": "\(patience.key)", "error": "\(error)"]
                )
                let pause = backoff.fail(using: &random)
                try await patience.sleep(until: options.clock.now() + pause)
            }
        }
    }

    /// Renews the session for as long as it can be.
    ///
    /// - Returns: Why it cannot any more; nil when the task was cancelled.
    func keepAlive() async -> CoordinationError.Code? {
        while !Task.isCancelled {
            let now = options.clock.now()
            switch core.withLock({ $0.next(now: now) }) {
            case .expired: return .sessionExpired
            case .sleep(let moment):
                // The sleep only throws when cancelled, which the loop's condition sees.
                try? await options.clock.sleep(moment)
            case .renew(let limit):
                if let loss = await renew(limit: limit) { return loss }
            }
        }
        return nil
    }

    private func renew(limit: Duration) async -> CoordinationError.Code? {
        let sent = options.clock.now()
        do {
            let entry = try await withTimeLimit(limit, clock: options.clock) { [self] in
                try await client.session.renew(id, options: options.writeOptions)
            }
            core.withLock { $0.renewed(sent: sent, ttl: entry.ttl) }
        } catch let error as MusterError where error.code == .notFound {
            return .sessionInvalidated
        } catch {
            if Task.isCancelled { return nil }
            let now = options.clock.now()
            core.withLock { $0.failed(now: now) }
            options.logger.warning(
                "The session cannot be renewed",
                metadata: ["session": "\(id)", "error": "\(error)"]
            )
        }
        return nil
    }

    /// Ends the session; what it still holds is given up.
    func destroy() async throws {
        try await client.session.destroy(id, options: options.writeOptions)
    }
}
