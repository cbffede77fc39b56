public import MusterAPI

extension MusterClient {
    /// Runs `body` while this process alone holds the lock at `key`.
    ///
    /// Waits until the lock is free, however long, unless the options say otherwise. While `body`
    /// runs, its session is renewed and the key is watched; **`body` is cancelled as soon as the
    /// lock is lost**: when the session or the key is, and when the session could not be renewed
    /// for its TTL, which is before the registry gives the lock to another. A body that ignores
    /// cancellation goes on beside the next holder: give the token to what it writes to. At the
    /// end, also after an error or cancellation, the lock is released and the session destroyed.
    ///
    /// Interoperates with the locks of Consul's Go client. `consul lock PREFIX` locks the key
    /// `PREFIX/.lock`.
    ///
    /// - Parameters:
    ///   - key: The key; it is made when there is none.
    ///   - options: How the lock is taken and held.
    ///   - body: What is run, with proof of the tenure.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws; ``CoordinationError`` when the lock was not free in time, is
    ///   no lock, or was lost before `body` ended without an error of its own; `MusterError` when
    ///   the registry refuses; `CancellationError` when cancelled.
    public func withLock<Value: Sendable>(
        _ key: String,
        options: LockOptions = LockOptions(),
        _ body: @escaping @Sendable (FencingToken) async throws -> Value
    ) async throws -> Value {
        try await coordinate(key, options, options.behavior, body) { session in
            LockContender(key: key, session: session, client: self, options: options)
        }
    }

    /// Runs `body` while this process is one of at most `limit` that hold the semaphore.
    ///
    /// Behaves as ``withLock(_:options:_:)`` in everything else. Interoperates with the semaphores
    /// of Consul's Go client and with `consul lock -n LIMIT PREFIX`.
    ///
    /// - Parameters:
    ///   - prefix: What the semaphore's keys begin with.
    ///   - limit: How many may hold it at the same time, from 1 up; all contenders must agree.
    ///   - options: How it is taken and held.
    ///   - body: What is run, with proof of the tenure.
    /// - Returns: What `body` returns.
    /// - Throws: As ``withLock(_:options:_:)``, and ``CoordinationError`` when the semaphore exists
    ///   with another limit or its record cannot be read.
    public func withSemaphore<Value: Sendable>(
        _ prefix: String,
        limit: Int,
        options: LockOptions = LockOptions(),
        _ body: @escaping @Sendable (FencingToken) async throws -> Value
    ) async throws -> Value {
        guard (1...Limits.semaphoreHolders).contains(limit) else {
            throw CoordinationError(
                code: .limitConflict,
                key: prefix,
                message: "a semaphore's limit is from 1 to \(Limits.semaphoreHolders), not \(limit)"
            )
        }
        // The contender's own key is of no use without its session.
        return try await coordinate(prefix, options, .delete, body) { session in
            SemaphoreContender(
                prefix: prefix,
                limit: limit,
                session: session,
                client: self,
                options: options
            )
        }
    }

    /// Who holds the lock at `key`.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - options: How it is asked.
    /// - Returns: The holder, nil when the lock is free.
    /// - Throws: `MusterError`; ``CoordinationError`` when the key is no lock.
    public func lockHolder(
        _ key: String,
        options: QueryOptions = QueryOptions(consistency: .consistent)
    ) async throws -> LockHolder? {
        guard let entry = try await keyValue.get(key, options: options).value else { return nil }
        guard entry.flags == LockCore.flags else {
            throw CoordinationError(
                code: .conflict,
                key: key,
                message: "the key exists with other flags and is no lock"
            )
        }
        guard let session = entry.session, !session.isEmpty else { return nil }
        return LockHolder(session: session, value: entry.value)
    }

    private func coordinate<Value: Sendable>(
        _ key: String,
        _ options: LockOptions,
        _ behavior: LockOptions.Behavior,
        _ body: @escaping @Sendable (FencingToken) async throws -> Value,
        contender: (String) -> some Contender
    ) async throws -> Value {
        let patience = Patience(key: key, options: options)
        while true {
            let session = try await Session.create(
                behavior: behavior,
                patience: patience,
                client: self,
                options: options
            )
            let tenure = Tenure(
                client: self,
                options: options,
                session: session,
                contender: contender(session.id)
            )
            switch await tenure.run(patience, body) {
            case .finished(let result): return try result.get()
            case .sessionEnded: try Task.checkCancellation()
            }
        }
    }
}

/// Who holds a lock.
public struct LockHolder: Hashable, Sendable {
    /// Its session.
    public let session: String

    /// What it wrote into the key.
    public let value: [UInt8]

    /// The value read as UTF-8; bytes that are not are replaced.
    public var text: String { String(decoding: value, as: UTF8.self) }
}
