public import MusterAPI
public import MusterBalancing
public import MusterDiscovery
import Synchronization

/// A `Discovery` whose instances a test sets directly: no registry, no socket, no waiting.
///
/// The code under test gets ``discovery``, or a `WatchedService` or `Balancer` of it, as it would
/// get the real one. It need not be run; when it is, balancers end ejections and warm-ups by
/// themselves.
public final class InMemoryDiscovery: Sendable {
    private struct Service {
        /// Keeps what was published in memory.
        var view: WatchedService?
        var instances: [Instance] = []
        var generation: UInt64 = 0
    }

    /// What the code under test is given.
    public let discovery: Discovery

    private let clock: TimeSource
    private let services = Mutex<[ServiceQuery: Service]>([:])

    private init(client: MusterClient, clock: TimeSource) {
        var configuration = Discovery.Configuration()
        configuration.clock = clock
        configuration.isOffline = true
        // What a test did not set is an error at once.
        configuration.firstAnswerTimeout = .zero
        discovery = Discovery(client: client, configuration: configuration)
        self.clock = clock
    }

    /// Runs `body` with a discovery that knows nothing yet.
    ///
    /// - Parameters:
    ///   - clock: What the discovery takes the time from.
    ///   - isolation: The actor the caller runs on; `body` runs there too.
    ///   - body: The test.
    /// - Returns: What `body` returned.
    /// - Throws: What `body` threw.
    public static func withDiscovery<Result>(
        clock: TimeSource = .system,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (InMemoryDiscovery) async throws -> sending Result
    ) async throws -> sending Result {
        // A client that is never used: an offline discovery asks nobody.
        try await MusterClient.withClient { client in
            try await body(InMemoryDiscovery(client: client, clock: clock))
        }
    }

    /// Says which instances `query` finds from now on; everyone who watches it is told.
    ///
    /// Only equal queries share a list: a query with tags has one of its own.
    ///
    /// - Parameters:
    ///   - instances: The instances, in any order.
    ///   - query: The query that the code under test asks.
    ///   - origin: How far they can be trusted.
    public func set(
        _ instances: [Instance],
        for query: ServiceQuery,
        origin: ServiceSnapshot.Origin = .live
    ) {
        services.withLock { services in
            var service = services[query] ?? Service()
            service.instances = instances
            service.generation += 1
            let snapshot = ServiceSnapshot(
                instances: instances,
                index: service.generation,
                generation: service.generation,
                origin: origin,
                confirmed: clock.now()
            )
            // Under the lock, so that snapshots are published in their order.
            service.view = discovery.publish(snapshot, for: query)
            services[query] = service
        }
    }

    /// Changes the instances that `query` finds; everyone who watches it is told.
    public func patch(_ query: ServiceQuery, _ change: (inout [Instance]) -> Void) {
        var instances = services.withLock { $0[query]?.instances ?? [] }
        change(&instances)
        set(instances, for: query)
    }

    /// Pretends that the registry has fallen silent: the instances stay, and are marked as stale.
    public func loseRegistry(for query: ServiceQuery) {
        let instances = services.withLock { $0[query]?.instances ?? [] }
        set(instances, for: query, origin: .stale(since: clock.now()))
    }
}

extension Instance {
    /// An instance for a test: the id, where it listens, and little else.
    ///
    /// - Parameters:
    ///   - id: Its id on the node `in-memory`.
    ///   - host: An IP address or host name.
    ///   - port: Its port.
    ///   - weight: Its share of the traffic.
    ///   - health: How well it is.
    ///   - zone: The zone it runs in.
    /// - Returns: The instance.
    public static func test(
        _ id: String,
        host: String = "127.0.0.1",
        port: UInt16,
        weight: UInt32 = 1,
        health: Health = .passing,
        zone: String? = nil
    ) -> Instance {
        guard let endpoint = ServiceEndpoint(host: host, port: port) else {
            preconditionFailure("\"\(host)\" is no host")
        }
        return Instance(
            id: InstanceID(node: InMemoryState.node, serviceID: id),
            endpoint: endpoint,
            weight: weight,
            health: health,
            zone: zone
        )
    }
}
