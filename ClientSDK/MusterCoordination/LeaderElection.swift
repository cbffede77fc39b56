import Metrics
public import MusterAPI
public import ServiceLifecycle
import Synchronization

/// Runs something on one instance of an application at a time: on the one that holds a lock.
///
/// Put it into a `ServiceGroup` in every instance. One of them is elected and runs `whileLeader`;
/// when it stops, dies or loses the registry, `whileLeader` is cancelled there and another instance
/// is elected. On graceful shutdown leadership is handed over at once.
public final class LeaderElection: Service {
    /// The key of the lock.
    public let key: String

    private let client: MusterClient
    private let options: LockOptions
    private let pause: Duration
    private let whileLeader: @Sendable (FencingToken) async throws -> Void
    private let tenure = Mutex<FencingToken?>(nil)
    private let gauge: Gauge

    /// Makes an election; nothing is sent before ``run()``.
    ///
    /// - Parameters:
    ///   - key: The key of the lock, the same in every instance.
    ///   - client: A client of the registry.
    ///   - options: How the lock is taken and held; its `timeout` means nothing here, its `metrics`
    ///     also get `coordination_leader`, 1 in the leader and 0 elsewhere.
    ///   - pause: How long an instance that resigned stays out of the election.
    ///   - whileLeader: What the leader does. It is cancelled when leadership is lost; when it
    ///     returns, the instance resigns; what it throws ends ``run()``.
    public init(
        key: String,
        client: MusterClient,
        options: LockOptions = LockOptions(),
        pause: Duration = .seconds(5),
        whileLeader: @escaping @Sendable (FencingToken) async throws -> Void
    ) {
        self.key = key
        self.client = client
        self.options = options
        self.pause = pause
        self.whileLeader = whileLeader
        gauge = Gauge(
            label: "coordination_leader",
            dimensions: [("key", key)],
            factory: options.metrics
        )
    }

    /// Proof of this instance's present tenure, nil while it does not lead.
    public var token: FencingToken? { tenure.withLock(\.self) }

    /// Whether this instance leads.
    public var isLeader: Bool { token != nil }

    /// Stands for election again and again until the group shuts down or the task is cancelled.
    ///
    /// - Throws: What `whileLeader` throws; ``CoordinationError`` when the key is no lock;
    ///   `MusterError` when the registry refuses.
    public func run() async throws {
        gauge.record(0)
        do {
            try await cancelWhenGracefulShutdown { try await self.stand() }
        } catch is CancellationError {
            // The end that was asked for.
        }
    }

    private func stand() async throws {
        var options = options
        options.timeout = nil
        while !Task.isCancelled {
            do {
                try await client.withLock(key, options: options) { token in
                    try await self.lead(token)
                }
                try await options.clock.sleep(options.clock.now() + pause)
            } catch let error as CoordinationError where error.isLoss {
                // Stands again: the session is a new one, so another may have been first.
            }
        }
    }

    private func lead(_ token: FencingToken) async throws {
        tenure.withLock { $0 = token }
        gauge.record(1)
        defer {
            tenure.withLock { $0 = nil }
            gauge.record(0)
        }
        try await whileLeader(token)
    }
}
