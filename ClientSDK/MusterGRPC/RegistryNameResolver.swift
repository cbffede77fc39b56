#if GRPC
public import GRPCCore
public import GRPCNIOTransportHTTP2Posix
import MusterBalancing
public import MusterDiscovery

/// Resolves targets that are services of the registry, for gRPC's own transport.
///
/// gRPC's balancer knows neither weights nor zones nor ejection, and takes its instances in turn;
/// ``BalancedTransport`` has all of these.
public struct RegistryNameResolverFactory: NameResolverFactory, Sendable {
    /// What this factory resolves.
    public typealias Target = RegistryTarget

    private let discovery: Discovery
    private let serviceConfig: ServiceConfig

    /// Makes a factory.
    ///
    /// - Parameters:
    ///   - discovery: Finds the instances; it must run.
    ///   - serviceConfig: What the channel is told with the instances. Without a choice of balancer
    ///     it takes them in turn, since gRPC's own default uses the first one only.
    public init(discovery: Discovery, serviceConfig: ServiceConfig = ServiceConfig()) {
        self.discovery = discovery
        var serviceConfig = serviceConfig
        if serviceConfig.loadBalancingConfig.isEmpty {
            serviceConfig.loadBalancingConfig = [.roundRobin]
        }
        self.serviceConfig = serviceConfig
    }

    /// Makes the resolver of a target; it keeps the target's watch open.
    public func resolver(for target: RegistryTarget) -> NameResolver {
        let names = RegistryNames(
            service: discovery.service(target.query),
            serviceConfig: serviceConfig
        )
        return NameResolver(
            names: RPCAsyncSequence(wrapping: names),
            updateMode: .push,
            authority: target.query.name
        )
    }
}

/// The addresses of a service, each list as it comes.
struct RegistryNames: AsyncSequence, Sendable {
    typealias Element = NameResolutionResult
    typealias Failure = any Error

    let service: WatchedService
    let serviceConfig: ServiceConfig

    func makeAsyncIterator() -> Iterator {
        Iterator(snapshots: service.snapshots.makeAsyncIterator(), names: self)
    }

    struct Iterator: AsyncIteratorProtocol {
        var snapshots: ServiceSnapshots.Iterator
        let names: RegistryNames
        var last: [Endpoint]?

        mutating func next() async throws -> NameResolutionResult? {
            try await next(isolation: nil)
        }

        /// The next list that differs.
        ///
        /// A list that is empty from the beginning becomes an address that nobody can have, so
        /// that calls fail instead of waiting for ever; after that, the last list stays. Throwing
        /// would do the former too, but the channel would not hear of new instances before its
        /// pause is over, and would never end.
        mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(any Error) -> NameResolutionResult? {
            if last == nil, names.service.current == nil {
                do {
                    _ = try await names.service.firstSnapshot()
                } catch {
                    try Task.checkCancellation()
                    last = []
                    return names.result([])
                }
            }
            while let snapshot = await snapshots.next(isolation: actor) {
                let endpoints = RegistryNames.endpoints(of: snapshot)
                if endpoints == last || (endpoints.isEmpty && last != nil) { continue }
                last = endpoints
                return names.result(endpoints)
            }
            try Task.checkCancellation()
            return nil
        }
    }

    /// The addresses of a snapshot's healthy instances, each once.
    private static func endpoints(of snapshot: ServiceSnapshot) -> [Endpoint] {
        var known: Set<ServiceEndpoint> = []
        return snapshot.instances.compactMap { instance in
            guard instance.health <= .warning, known.insert(instance.endpoint).inserted else {
                return nil
            }
            return Endpoint(instance.endpoint)
        }
    }

    private func result(_ endpoints: [Endpoint]) -> NameResolutionResult {
        // Appears in the error of a call.
        let nobody = Endpoint(addresses: [
            .unixDomainSocket(path: "/no instance of \(service.query.name.prefix(80))")
        ])
        return NameResolutionResult(
            endpoints: endpoints.isEmpty ? [nobody] : endpoints,
            serviceConfig: .success(serviceConfig)
        )
    }
}

extension Endpoint {
    /// The endpoint of an instance; nil for a host name, which this kind of target cannot have.
    init?(_ endpoint: ServiceEndpoint) {
        let port = Int(endpoint.port)
        switch endpoint.family {
        case .ipv4: self.init(addresses: [.ipv4(host: endpoint.host, port: port)])
        case .ipv6: self.init(addresses: [.ipv6(host: endpoint.host, port: port)])
        case .name: return nil
        }
    }
}
#endif
