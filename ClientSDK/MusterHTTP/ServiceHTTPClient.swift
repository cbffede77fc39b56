public import AsyncHTTPClient
public import Logging
public import Metrics
import MusterAPI
public import MusterBalancing
public import MusterDiscovery
import Synchronization

/// How a ``ServiceHTTPClient`` calls one service.
public struct HTTPServiceSettings: Sendable {
    /// Which instances are wanted.
    public var query: ServiceQuery

    /// How one of them is chosen.
    ///
    /// Default: the less busy of two.
    public var policy = BalancingPolicy.leastRequest()

    /// What the balancer is told beyond its policy.
    ///
    /// Default: instances that answer badly are left out for a while.
    public var balancing: Balancer.Options

    /// How long a call may take.
    ///
    /// Default 10 seconds.
    public var timeout = Limits.timeout

    /// When another instance is tried.
    public var retry = HTTPRetryPolicy.nextInstance()

    /// Sends slow calls to a second instance as well; nil, the default, never.
    public var hedging: HedgingPolicy?

    /// How calls are made beyond that; hedging, metrics and logger are the client's.
    public var options = HTTPCallOptions()

    /// Makes the default settings for a service.
    public init(_ query: ServiceQuery) {
        self.query = query
        balancing = Balancer.Options()
        balancing.outliers = OutlierDetection()
    }
}

/// An HTTP client whose URLs name services: `http://payments/v1/charges`.
///
/// It watches each service from its first call on. The discovery must run.
public final class ServiceHTTPClient: Sendable {
    private struct Service: Sendable {
        let settings: HTTPServiceSettings
        let watch: WatchedService
        let balancer: Balancer
        let options: HTTPCallOptions
    }

    private let discovery: Discovery
    private let client: HTTPClient
    private let settings: @Sendable (String) -> HTTPServiceSettings
    private let logger: Logger
    private let metrics: (any MetricsFactory)?
    private let services = Mutex<[String: Service]>([:])

    /// Makes a client; nothing is watched yet.
    ///
    /// - Parameters:
    ///   - discovery: Finds the instances.
    ///   - client: Sends the requests; best made with
    ///     `HTTPClient/Configuration/services(tls:)`. Who made it shuts it down.
    ///   - logger: Told when another instance is tried.
    ///   - metrics: What makes the counters; nil takes that of the process.
    ///   - settings: How the service of a name is called; asked once per name.
    public init(
        discovery: Discovery,
        client: HTTPClient,
        logger: Logger = Logger(label: "muster.http"),
        metrics: (any MetricsFactory)? = nil,
        settings: @escaping @Sendable (String) -> HTTPServiceSettings = {
            HTTPServiceSettings(ServiceQuery($0))
        }
    ) {
        self.discovery = discovery
        self.client = client
        self.logger = logger
        self.metrics = metrics
        self.settings = settings
    }

    /// Sends a request to the service that its URL names; see
    /// `HTTPClient/execute(_:using:timeout:retry:options:)`.
    ///
    /// - Parameters:
    ///   - request: What to send.
    ///   - timeout: How long the answer's head may take; nil is the service's setting.
    ///   - pick: What the pick asks for: a key, an endpoint to prefer.
    /// - Returns: The answer, whatever its status.
    /// - Throws: ``HTTPCallError``, or `CancellationError`.
    public func execute(
        _ request: HTTPClientRequest,
        timeout: Duration? = nil,
        pick: PickRequest = .any
    ) async throws -> HTTPClientResponse {
        var (service, left, options) = try await prepare(request, timeout)
        options.pick = pick
        return try await client.execute(
            request,
            using: service.balancer,
            timeout: left,
            retry: service.settings.retry,
            options: options
        )
    }

    /// Sends a request to the service that its URL names and returns the whole answer; see
    /// `HTTPClient/collect(_:upTo:using:timeout:retry:options:)`.
    ///
    /// - Parameters:
    ///   - request: What to send.
    ///   - maximumBytes: The largest body accepted.
    ///   - timeout: How long the answer may take; nil is the service's setting.
    ///   - pick: What the pick asks for: a key, an endpoint to prefer.
    /// - Returns: The answer, whatever its status.
    /// - Throws: ``HTTPCallError``, or `CancellationError`.
    public func collect(
        _ request: HTTPClientRequest,
        upTo maximumBytes: Int,
        timeout: Duration? = nil,
        pick: PickRequest = .any
    ) async throws -> CollectedResponse {
        var (service, left, options) = try await prepare(request, timeout)
        options.pick = pick
        return try await client.collect(
            request,
            upTo: maximumBytes,
            using: service.balancer,
            timeout: left,
            retry: service.settings.retry,
            options: options
        )
    }

    /// The balancer that calls to a service use; begins to watch it.
    ///
    /// - Parameter service: The name as URLs have it.
    /// - Returns: The balancer.
    /// - Throws: ``HTTPCallError`` when more services are called than one client keeps.
    public func balancer(for service: String) throws(HTTPCallError) -> Balancer {
        try find(service).balancer
    }

    /// The service of a request, watched and with its first snapshot, and the time that is left.
    private func prepare(
        _ request: HTTPClientRequest,
        _ timeout: Duration?
    ) async throws -> (Service, Duration, HTTPCallOptions) {
        let name = try ServiceTarget(request.url).service
        let service = try find(name)
        let clock = service.options.clock
        let started = clock.now()
        let timeout = timeout ?? service.settings.timeout
        if service.watch.current == nil {
            try await waitForInstances(service, name, within: timeout)
        }
        return (service, timeout - started.duration(to: clock.now()), service.options)
    }

    private func waitForInstances(
        _ service: Service,
        _ name: String,
        within timeout: Duration
    ) async throws {
        do {
            _ = try await withTimeLimit(timeout, service.options.clock) {
                try await service.watch.firstSnapshot()
            }
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw HTTPCallError(
                code: .noInstance,
                service: name,
                message: "the instances of service \"\(name)\" are not known yet",
                cause: error
            )
        }
    }

    private func find(_ name: String) throws(HTTPCallError) -> Service {
        if let known = services.withLock({ $0[name] }) { return known }
        let made = make(name)
        let service: Service? = services.withLock { services in
            if let known = services[name] { return known }
            guard services.count < Limits.services else { return nil }
            services[name] = made
            return made
        }
        guard let service else {
            throw HTTPCallError(
                code: .tooManyServices,
                service: name,
                message: "\(Limits.services) services are called already"
            )
        }
        return service
    }

    private func make(_ name: String) -> Service {
        let settings = settings(name)
        let watch = discovery.service(settings.query)
        var options = settings.options
        options.hedging = settings.hedging.map(HTTPHedging.init)
        options.metrics = HTTPCallMetrics(service: name, factory: metrics)
        options.logger = logger
        return Service(
            settings: settings,
            watch: watch,
            balancer: watch.balancer(settings.policy, options: settings.balancing),
            options: options
        )
    }
}
