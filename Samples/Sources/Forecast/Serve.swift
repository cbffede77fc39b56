import ArgumentParser
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Logging
import MusterAPI
import MusterDiscovery
import ServiceLifecycle

/// One instance of the service.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Runs an instance.")

    @Option(help: "The instance's id.")
    var name = "forecast-1"

    @Option(help: "The share of traffic to ask for.")
    var weight = 1

    func run() async throws {
        var logger = Logger(label: name)
        logger.logLevel = .notice
        let transport = HTTP2ServerTransport.Posix(
            address: .ipv4(host: "127.0.0.1", port: 0),
            transportSecurity: .plaintext
        )
        let service = ForecastService.Server { [name] place in "Sun in \(place), says \(name)." }
        let server = GRPCServer(transport: transport, services: [service])

        let registry = try MusterClient(configuration: .fromEnvironment())
        var settings = ServiceRegistrar.Configuration()
        settings.ttl = .seconds(3)
        settings.drainDelay = .seconds(1)
        let registrar = ServiceRegistrar(
            ServiceRegistration(
                id: name,
                name: "forecast",
                tags: ["grpc"],
                address: "127.0.0.1",
                weights: ServiceWeights(passing: weight, warning: 1)
            ),
            client: registry,
            configuration: settings,
            readiness: { $0.port = try await transport.listeningAddress.ipv4?.port ?? 0 },
            logger: logger
        )
        let group = ServiceGroup(
            services: [GRPCService(server: server), registrar],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        try await group.run()
        try await registry.shutdown()
    }
}

/// A gRPC server that ends with its service group, and only after the calls under way.
struct GRPCService<Transport: ServerTransport>: Service {
    let server: GRPCServer<Transport>

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await server.serve()
        } onGracefulShutdown: {
            server.beginGracefulShutdown()
        }
    }
}
