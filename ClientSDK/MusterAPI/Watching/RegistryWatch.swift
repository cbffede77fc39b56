/// Follows the answer to one query for as long as it is iterated.
///
/// Gives the first answer, then each that differs from the one before. The query blocks in the
/// registry between two changes. Nothing is asked while the reader is busy, and then the newest
/// answer comes: a slow reader misses what lay between, and nothing queues up.
///
/// It never fails: while the registry does not answer it tries again, after random waits of at
/// most 8 seconds. Who must know iterates over ``events``. Ends when the task is cancelled, which
/// closes the request at once.
///
/// - Source: Consul: "Blocking Queries".
public struct RegistryWatch<Value: Sendable>: AsyncSequence, Sendable {
    /// What the sequence gives.
    public typealias Element = Response<Value>

    /// It never fails.
    public typealias Failure = Never

    private let source: WatchSource<Value>

    init(_ source: WatchSource<Value>) { self.source = source }

    /// The same, failures and confirmations included.
    public var events: WatchEvents<Value> { WatchEvents(source: source) }

    /// Begins with the state now.
    public func makeAsyncIterator() -> Iterator {
        Iterator(events: events.makeAsyncIterator())
    }

    /// Asks while it is waited on.
    public struct Iterator: AsyncIteratorProtocol {
        var events: WatchEvents<Value>.Iterator

        /// The next answer that differs, nil when the task is cancelled.
        public mutating func next() async -> Response<Value>? { await next(isolation: nil) }

        /// The next answer that differs, nil when the task is cancelled.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(Never) -> Response<Value>? {
            while let event = await events.next(isolation: actor) {
                if case .changed(let response) = event { return response }
            }
            return nil
        }
    }
}

/// What happened to a watch.
public enum WatchEvent<Value: Sendable>: Sendable {
    /// The first answer, or one that differs from the one before.
    case changed(Response<Value>)
    /// The registry confirmed that the last answer still holds.
    case unchanged(Response<Void>)
    /// The registry gave no usable answer; it is asked again after a wait.
    case failed(any Error)
}

/// What happens to a watch, failures included; see ``RegistryWatch/events``.
public struct WatchEvents<Value: Sendable>: AsyncSequence, Sendable {
    /// What the sequence gives.
    public typealias Element = WatchEvent<Value>

    /// It never fails.
    public typealias Failure = Never

    let source: WatchSource<Value>

    /// Begins with the state now.
    public func makeAsyncIterator() -> Iterator { Iterator(source: source) }

    /// Asks while it is waited on.
    public struct Iterator: AsyncIteratorProtocol {
        private let source: WatchSource<Value>
        private var loop: BlockingQuery
        private var random = SystemRandomNumberGenerator()
        /// What the last answer was, as a hash: an equal one is not decoded again.
        private var seen: Int?

        init(source: WatchSource<Value>) {
            self.source = source
            var settings = BlockingQuery.Settings()
            settings.wait = source.options.wait ?? settings.wait
            loop = BlockingQuery(settings: settings)
        }

        /// The next event, nil when the task is cancelled.
        public mutating func next() async -> WatchEvent<Value>? { await next(isolation: nil) }

        /// The next event, nil when the task is cancelled.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(Never) -> WatchEvent<Value>? {
            while !Task.isCancelled {
                switch loop.next(now: source.clock.now()) {
                case .sleep(let moment):
                    // The sleep only throws when cancelled, which the loop's condition sees.
                    try? await source.clock.sleep(moment)
                case .ask(let index, let wait):
                    do {
                        return try take(await source.ask(index: index, wait: wait))
                    } catch {
                        if Task.isCancelled { return nil }
                        loop.failed(
                            keepsIndex: (error as? MusterError)?.code == .rateLimited,
                            now: source.clock.now(),
                            using: &random
                        )
                        return .failed(error)
                    }
                }
            }
            return nil
        }

        private mutating func take(_ answer: Response<RegistryReply>) throws -> WatchEvent<Value> {
            var hasher = Hasher()
            hasher.combine(answer.value.status)
            answer.value.body.withUnsafeBytes { hasher.combine(bytes: $0) }
            let hash = hasher.finalize()
            // Before the index moves on: an answer that cannot be read has not been seen.
            let value = hash == seen ? nil : try source.decode(answer.value)
            _ = loop.answered(index: answer.index, now: source.clock.now(), using: &random)
            seen = hash
            guard let value else { return .unchanged(answer.map { _ in }) }
            return .changed(answer.map { _ in value })
        }
    }
}

/// What a watch asks, and how it reads the answer.
struct WatchSource<Value: Sendable>: Sendable {
    let client: MusterClient
    let request: RegistryRequest
    let options: QueryOptions
    let clock: TimeSource
    let decode: @Sendable (RegistryReply) throws -> Value

    func ask(index: UInt64?, wait: Duration) async throws -> Response<RegistryReply> {
        var options = options
        options.index = index
        options.wait = wait
        return try await client.read(request, options)
    }
}
