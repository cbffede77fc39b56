import ArgumentParser
import AsyncHTTPClient
import Hummingbird
import Logging
import MusterAPI
import MusterDiscovery
import MusterHTTP
import ServiceLifecycle

/// A gateway: a web server whose middleware passes requests on to services by their names.
///
/// `GET /services/greeter/greetings/Ada` is answered by an instance of the service `greeter`.
@main
struct Gateway: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Passes requests on to services by name; says at /health how they are."
    )

    @Option(help: "The port to listen on; 0 takes a free one.")
    var port = 0

    @Option(help: "The services that /health tells of, and that must have instances.")
    var needs = ["greeter"]

    func run() async throws {
        var logger = Logger(label: "gateway")
        logger.logLevel = .notice
        let registry = try MusterClient(configuration: .fromEnvironment())
        let discovery = Discovery(client: registry, logger: logger)
        let http = HTTPClient(configuration: .services())
        let services = ServiceHTTPClient(discovery: discovery, client: http, logger: logger)

        let router = Router()
        router.add(middleware: TracingMiddleware())
        router.add(middleware: HealthMiddleware(needs: needs.map { discovery.service(.init($0)) }))
        router.add(middleware: ServiceMiddleware(services: services))
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let server = Application(
            router: router,
            configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { listening.yield($0.localAddress?.port ?? 0) },
            logger: logger
        )

        // The agent asks /health itself: no heartbeat, and the gateway is as well as it says.
        var settings = ServiceRegistrar.Configuration()
        settings.ttl = nil
        settings.drainDelay = .zero
        let registrar = ServiceRegistrar(
            ServiceRegistration(name: "gateway", address: "127.0.0.1"),
            client: registry,
            configuration: settings,
            readiness: { registration in
                let port = await ports.first { _ in true } ?? 0
                registration.port = port
                registration.check = .http(
                    "http://127.0.0.1:\(port)/health",
                    every: .seconds(1)
                )
            },
            logger: logger
        )
        let group = ServiceGroup(
            services: [discovery, server, registrar],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        try await group.run()
        try await http.shutdown()
        try await registry.shutdown()
    }
}
