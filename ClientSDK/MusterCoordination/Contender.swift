import Logging
import MusterAPI
import Synchronization

/// Something that one session contends for: a lock, or a place in a semaphore.
///
/// The order of calls is ``acquire(_:)``, then ``watch()`` if that succeeded, then ``leave()``.
protocol Contender: Sendable {
    /// What is contended for, for people.
    var key: String { get }

    /// Does what is next: waits, asks or claims.
    ///
    /// - Parameter patience: How long to wait for it; nil when the session holds it.
    /// - Returns: What is known now.
    /// - Throws: What the registry answered instead; `CancellationError`.
    func step(_ patience: Patience?) async throws -> Finding

    /// Counts a failure of a step, which puts the next one off.
    func failed(_ error: any Error)

    /// Gives it up, or what was left behind on the way there.
    func leave() async throws
}

extension Contender {
    /// Returns when the session holds it.
    ///
    /// - Parameter patience: How long to wait for it.
    /// - Returns: Proof of the tenure.
    /// - Throws: `SessionGone` when the registry says that the session is; ``CoordinationError``
    ///   and `MusterError` that later attempts cannot change; `CancellationError`.
    func acquire(_ patience: Patience) async throws -> FencingToken {
        while true {
            try Task.checkCancellation()
            do {
                if case .held(let token) = try await step(patience) { return token }
            } catch let error as MusterError where error.isTransient {
                if error.saysInvalidSession { throw SessionGone() }
                failed(error)
            }
        }
    }

    /// Returns when the session does not hold it any more, or when the task is cancelled.
    func watch() async {
        while !Task.isCancelled {
            do {
                if try await step(nil) == .lost { return }
            } catch {
                if !Task.isCancelled { failed(error) }
            }
        }
    }
}

/// The registry does not know the session that was contending.
struct SessionGone: Error {}

extension MusterError {
    /// Whether trying again later may help.
    var isTransient: Bool {
        ![.badRequest, .forbidden, .invalidConfiguration, .tooLarge].contains(code)
    }

    /// Whether a write was refused because its session does not exist.
    ///
    /// - Source: Consul: PUT /v1/kv/:key?acquire answers 500 with `invalid session "…"`.
    var saysInvalidSession: Bool { status == 500 && body.contains("invalid session") }
}

/// Contends for a lock.
final class LockContender: Contender {
    private let client: MusterClient
    private let options: LockOptions
    private let session: String
    private let core: Mutex<LockCore>
    let key: String

    init(key: String, session: String, client: MusterClient, options: LockOptions) {
        self.key = key
        self.session = session
        self.client = client
        self.options = options
        core = Mutex(
            LockCore(
                key: key,
                session: session,
                delayRetry: options.delayRetry,
                settings: options.querySettings
            )
        )
    }

    func step(_ patience: Patience?) async throws -> Finding {
        let now = options.clock.now()
        switch core.withLock({ $0.next(now: now) }) {
        case .sleep(let moment):
            if let patience {
                try await patience.sleep(until: moment)
            } else {
                try await options.clock.sleep(moment)
            }
        case .read(let index, let wait):
            var query = options.queryOptions
            query.index = index
            query.wait = try index == nil ? wait : patience?.limit(wait) ?? wait
            let answer = try await client.keyValue.get(key, options: query)
            return try found(answer)
        case .acquire:
            let acquired = try await client.keyValue.put(
                key,
                options.value,
                flags: LockCore.flags,
                if: .acquire(session: session),
                options: options.writeOptions
            )
            core.withLock { $0.answered(acquired: acquired) }
        }
        return .open
    }

    private func found(_ answer: Response<KeyValuePair?>) throws -> Finding {
        let now = options.clock.now()
        return try core.withLock { core in
            var random = SystemRandomNumberGenerator()
            return try core.read(answer.value, index: answer.index, now: now, using: &random)
        }
    }

    func failed(_ error: any Error) {
        let now = options.clock.now()
        core.withLock { core in
            var random = SystemRandomNumberGenerator()
            core.failed(now: now, using: &random)
        }
        options.logger.warning(
            "The registry cannot say who holds the lock",
            metadata: ["key": "\(key)", "error": "\(error)"]
        )
    }

    func leave() async throws {
        // The registry refuses this when the lock was never taken, which is as well.
        try await client.keyValue.put(
            key,
            options.value,
            flags: LockCore.flags,
            if: .release(session: session),
            options: options.writeOptions
        )
        guard options.behavior == .delete else { return }
        let entry = try await client.keyValue.get(key, options: options.queryOptions).value
        guard let entry, (entry.session ?? "").isEmpty, entry.flags == LockCore.flags else {
            return
        }
        try await client.keyValue.delete(
            key,
            ifUnchangedSince: entry.modifyIndex,
            options: options.writeOptions
        )
    }
}
