import Logging
import Metrics
import MusterAPI

/// One attempt to hold something with one session, from the session's creation to its end.
struct Tenure<Holder: Contender>: Sendable {
    /// How an attempt ended.
    enum Outcome<Value: Sendable>: Sendable {
        case finished(Result<Value, any Error>)
        /// The session ended before anything was held: another attempt is due.
        case sessionEnded
    }

    private enum Event<Value: Sendable>: Sendable {
        case acquired(Result<FencingToken, any Error>)
        case body(Result<Value, any Error>)
        case lost(CoordinationError.Code)
        case watchEnded
    }

    let client: MusterClient
    let options: LockOptions
    let session: Session
    let contender: Holder

    /// Takes it, runs the body while it is held, gives it up, and ends the session.
    ///
    /// - Parameters:
    ///   - patience: How long to wait for it.
    ///   - body: What is run; cancelled when the lock is lost.
    /// - Returns: How the attempt ended.
    func run<Value: Sendable>(
        _ patience: Patience,
        _ body: @escaping @Sendable (FencingToken) async throws -> Value
    ) async -> Outcome<Value> {
        let outcome = await hold(patience, body)
        await leave()
        return outcome
    }

    /// Renewing and watching are tasks of their own, ended and awaited here: when the caller is
    /// cancelled they go on until the body has ended, however long it takes to notice.
    private func hold<Value: Sendable>(
        _ patience: Patience,
        _ body: @escaping @Sendable (FencingToken) async throws -> Value
    ) async -> Outcome<Value> {
        await withTaskGroup(of: Event<Value>.self) { group in
            var watches = [Task { await session.keepAlive() }]
            defer { for watch in watches { watch.cancel() } }
            var result: Result<Value, any Error>?
            var loss: CoordinationError.Code?
            group.addTask { [keeper = watches[0]] in Self.event(await keeper.value) }
            group.addTask {
                .acquired(await Self.result { try await contender.acquire(patience) })
            }
            for await event in group {
                switch event {
                case .acquired(.success(let token)):
                    guard loss == nil, !Task.isCancelled else {
                        result = .failure(CancellationError())
                        break
                    }
                    acquired(token)
                    let watch = Task { await self.watch() }
                    watches.append(watch)
                    group.addTask { Self.event(await watch.value) }
                    group.addTask { .body(await Self.result { try await body(token) }) }
                case .acquired(.failure(let error)):
                    if error is SessionGone { loss = loss ?? .sessionInvalidated }
                    result = .failure(error)
                case .body(let outcome): result = outcome
                case .lost(let code):
                    if result == nil { loss = loss ?? code }
                    group.cancelAll()
                case .watchEnded: break
                }
                if result != nil { for watch in watches { watch.cancel() } }
            }
            // Only a tenure that began has two watches.
            return conclude(result, loss, began: watches.count > 1)
        }
    }

    private static func event<Value>(_ loss: CoordinationError.Code?) -> Event<Value> {
        loss.map { .lost($0) } ?? .watchEnded
    }

    private static func result<Value>(
        _ body: () async throws -> Value
    ) async -> Result<Value, any Error> {
        do { return .success(try await body()) } catch { return .failure(error) }
    }

    private func conclude<Value>(
        _ result: Result<Value, any Error>?,
        _ loss: CoordinationError.Code?,
        began: Bool
    ) -> Outcome<Value> {
        let result = result ?? .failure(CancellationError())
        guard let loss else { return .finished(result) }
        guard began else {
            if Task.isCancelled { return .finished(.failure(CancellationError())) }
            // A refusal matters more than the session's end.
            if case .failure(let error) = result, !(error is SessionGone),
                !(error is CancellationError)
            {
                return .finished(result)
            }
            return .sessionEnded
        }
        lost(loss)
        if case .failure(let error) = result, !(error is CancellationError) {
            return .finished(result)
        }
        return .finished(.failure(Self.error(loss, key: contender.key)))
    }

    private static func error(_ loss: CoordinationError.Code, key: String) -> CoordinationError {
        let message =
            switch loss {
            case .sessionExpired: "the session could not be renewed within its TTL"
            case .keyLost: "the key was deleted, released or taken by another"
            default: "the registry ended the session"
            }
        return CoordinationError(code: loss, key: key, message: message)
    }

    private func watch() async -> CoordinationError.Code? {
        await contender.watch()
        return Task.isCancelled ? nil : .keyLost
    }

    private func leave() async {
        let clock = options.clock
        do {
            try await shielded(grace: Limits.leaving, clock: clock) {
                try await withTimeLimit(Limits.leaving, clock: clock) {
                    // What cannot be given up in order goes with the session.
                    try? await contender.leave()
                    try await session.destroy()
                }
            }
        } catch {
            options.logger.warning(
                "The session could not be ended; its TTL will",
                metadata: ["key": "\(contender.key)", "error": "\(error)"]
            )
        }
    }

    private func acquired(_ token: FencingToken) {
        Counter(
            label: "coordination_acquired",
            dimensions: [("key", contender.key)],
            factory: options.metrics
        ).increment()
        options.logger.info("Acquired", metadata: ["lock": "\(token)"])
    }

    private func lost(_ code: CoordinationError.Code) {
        Counter(
            label: "coordination_lost",
            dimensions: [("key", contender.key), ("reason", code.description)],
            factory: options.metrics
        ).increment()
        options.logger.error("Lost", metadata: ["lock": "\(contender.key)", "reason": "\(code)"])
    }
}
