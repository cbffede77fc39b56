#if GRPC
public import GRPCCore
public import GRPCNIOTransportHTTP2Posix
public import Logging
public import Metrics
public import MusterAPI
public import MusterBalancing
public import MusterDiscovery
import NIOCore

/// A client transport of gRPC that spreads streams over the instances of a service.
///
/// It holds one HTTP/2 connection per instance, made when the first stream goes there, and picks
/// with a `Balancer`: weights, zones, subsets, ejection and all policies apply.
/// An instance that cannot be reached is passed over, and the call goes to another one: nothing of
/// it was sent. What fails later is gRPC's to retry, by the method's configuration; a retry goes to
/// another instance. Instances that leave finish the streams they have.
///
/// A call that comes before the first answer of the registry waits for it. Without instances it
/// fails with `unavailable`, unless it waits until ready.
public final class BalancedTransport: ClientTransport {
    /// What the transport's messages are made of.
    public typealias Bytes = GRPCNIOTransportBytes

    /// How a transport behaves.
    public struct Settings: Sendable {
        /// How an instance is chosen.
        ///
        /// Default: the less busy of two.
        public var policy = BalancingPolicy.leastRequest()

        /// What the balancer is told beyond its policy.
        ///
        /// Default: instances that answer badly are left out for a while.
        public var balancing: Balancer.Options

        /// Time limits, retries and hedging by method, and their throttle; its choice of balancer
        /// is not looked at.
        public var serviceConfig = ServiceConfig()

        /// How connections are made and used.
        ///
        /// With TLS, `http2.authority` is the name that certificates are verified for. Default:
        /// grpc-swift's, but a lost instance is tried again after 5 seconds at the latest.
        public var connection: HTTP2ClientTransport.Posix.Config

        /// How long connecting to an instance may take.
        ///
        /// Default 500 milliseconds.
        public var connectTimeout = Limits.connectTimeout

        /// How many instances are asked for a stream before a call fails; 1…16, default 5.
        public var attempts = Limits.attempts

        /// What the time is taken from.
        public var clock = TimeSource.system

        /// Makes the default settings.
        public init() {
            balancing = Balancer.Options()
            balancing.outliers = OutlierDetection()
            connection = .defaults
            connection.backoff.initial = .milliseconds(100)
            connection.backoff.max = .seconds(5)
        }
    }

    /// The balancer that picks, for a look at its status.
    public let balancer: Balancer

    /// What gRPC limits retries with, as the service's configuration says.
    public let retryThrottle: RetryThrottle?

    let service: WatchedService
    let settings: Settings
    let security: HTTP2ClientTransport.Posix.TransportSecurity
    let logger: Logger
    let metrics: GRPCMetrics
    let table = BackendTable()
    let methods: MethodConfigTable
    private let stopping = Doorbell()
    private let arrivals: AsyncStream<Backend>
    private let arrived: AsyncStream<Backend>.Continuation

    /// Makes a transport; give it to a `GRPCClient`, which runs it.
    ///
    /// - Parameters:
    ///   - service: The instances; their discovery must run.
    ///   - transportSecurity: Whether connections are encrypted, and how.
    ///   - settings: How it behaves.
    ///   - logger: Told of instances that come, go and cannot be reached.
    ///   - metrics: What makes the counters; nil takes that of the process.
    /// - Throws: When the settings of TLS cannot be used.
    public init(
        service: WatchedService,
        transportSecurity: HTTP2ClientTransport.Posix.TransportSecurity,
        settings: Settings = Settings(),
        logger: Logger = Logger(label: "muster.grpc"),
        metrics: (any MetricsFactory)? = nil
    ) throws {
        self.service = service
        self.logger = logger
        security = transportSecurity
        var settings = settings
        Self.limitConnecting(&settings)
        self.metrics = GRPCMetrics(
            service: service.query.name,
            factory: metrics ?? MetricsSystem.factory,
            next: settings.balancing.recorder
        )
        settings.balancing.recorder = self.metrics
        settings.balancing.clock = settings.balancing.clock ?? settings.clock.now
        self.settings = settings
        balancer = Balancer(policy: settings.policy, options: settings.balancing)
        retryThrottle = settings.serviceConfig.retryThrottling.map { RetryThrottle(policy: $0) }
        methods = MethodConfigTable(settings.serviceConfig)
        (arrivals, arrived) = AsyncStream.makeStream()
        // Certificates that cannot be read are noticed here rather than at the first call.
        if let example = ServiceEndpoint(host: "127.0.0.1", port: 1) { _ = try make(example) }
    }

    /// Makes connecting give up after the time of the settings: the system's would be minutes.
    private static func limitConnecting(_ settings: inout Settings) {
        let timeout = TimeAmount(settings.connectTimeout)
        let inner = settings.connection.channelDebuggingCallbacks.onCreateTCPConnection
        settings.connection.channelDebuggingCallbacks.onCreateTCPConnection = { channel in
            let timer = channel.eventLoop.scheduleTask(in: timeout) {
                if !channel.isActive { channel.close(promise: nil) }
            }
            channel.closeFuture.whenComplete { _ in timer.cancel() }
            return inner?(channel) ?? channel.eventLoop.makeSucceededVoidFuture()
        }
    }

    /// A transport to one instance; it connects when it is asked for a stream.
    private func make(_ endpoint: ServiceEndpoint) throws -> HTTP2ClientTransport.Posix {
        let port = Int(endpoint.port)
        let target: any ResolvableTarget =
            switch endpoint.family {
            case .ipv4: .ipv4(address: endpoint.host, port: port)
            case .ipv6: .ipv6(address: endpoint.host, port: port)
            case .name: .dns(host: endpoint.host, port: port)
            }
        return try HTTP2ClientTransport.Posix(
            target: target,
            transportSecurity: security,
            config: settings.connection
        )
    }

    /// The configuration of a method, nil when there is none.
    public func config(forMethod descriptor: MethodDescriptor) -> MethodConfig? {
        methods.config(for: descriptor)
    }

    // MARK: Life

    /// Follows the service's instances and keeps their connections.
    ///
    /// Returns after ``beginGracefulShutdown()``, when the last stream has ended; when cancelled,
    /// streams end at once.
    public func connect() async throws {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.follow() }
            for await backend in arrivals {
                group.addTask {
                    await backend.run { error in
                        self.logger.debug(
                            "A connection has ended",
                            metadata: ["endpoint": "\(backend.endpoint)", "error": "\(error)"]
                        )
                    }
                }
            }
        }
    }

    /// Refuses new streams; those that there are may end as they like.
    public func beginGracefulShutdown() {
        table.close()
        arrived.finish()
        stopping.ring()
    }

    /// Takes the snapshots until the shutdown begins or the task is cancelled.
    private func follow() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // It ends with the discovery: the last instances stay in use.
                for await snapshot in self.service.snapshots { self.take(snapshot) }
            }
            await stopping.wait()
            group.cancelAll()
        }
        beginGracefulShutdown()
    }

    /// Brings the connections in line with a snapshot.
    ///
    /// New ones come before the balancer knows of their instances, old ones go after it has
    /// forgotten theirs: what it picks has a connection.
    private func take(_ snapshot: ServiceSnapshot) {
        let wanted = Set(snapshot.instances.map(\.endpoint))
        let missing = table.missing(wanted)
        for endpoint in missing {
            do {
                let backend = Backend(endpoint: endpoint, transport: try make(endpoint))
                guard table.add(backend) else { return }
                arrived.yield(backend)
            } catch {
                logger.error(
                    "An instance cannot be used",
                    metadata: ["endpoint": "\(endpoint)", "error": "\(error)"]
                )
            }
        }
        balancer.update(snapshot, at: settings.clock.now())
        let gone = table.keep(wanted)
        metrics.instances.record(wanted.count)
        guard !missing.isEmpty || gone > 0 else { return }
        logger.debug(
            "Instances changed",
            metadata: [
                "service": "\(service.query.name)", "instances": "\(wanted.count)",
                "new": "\(missing.count)", "gone": "\(gone)",
            ]
        )
    }
}
#endif
