import ArgumentParser
import Hummingbird
import Logging
import MusterAPI
import MusterDiscovery
import ServiceLifecycle
import UnixSignals

/// An HTTP service as anyone would write it, plus the dozen lines that register it.
@main
struct Greeter: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "A greeting service that registers itself. SIGUSR1 toggles its maintenance mode."
    )

    @Option(help: "The instance's id.")
    var name = "greeter-1"

    @Option(help: "The port to listen on; 0 takes a free one.")
    var port = 0

    @Option(help: "The share of traffic to ask for.")
    var weight = 1

    @Option(help: "After how many seconds without a heartbeat the instance counts as dead.")
    var ttl = 3

    func run() async throws {
        var logger = Logger(label: name)
        logger.logLevel = .notice

        // The service.
        let router = Router()
        router.get("/greetings/:name") { _, context in
            let guest = try context.parameters.require("name")
            return "Hello \(guest), this is \(name)."
        }
        router.get("/health") { _, _ in HTTPResponse.Status.ok }
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let server = Application(
            router: router,
            configuration: .init(address: .hostname("127.0.0.1", port: port), serverName: name),
            onServerRunning: { listening.yield($0.localAddress?.port ?? 0) },
            logger: logger
        )

        // Its registration: sent when the server listens, kept alive, withdrawn at the end.
        let registry = try MusterClient(configuration: .fromEnvironment())
        var settings = ServiceRegistrar.Configuration()
        settings.ttl = .seconds(ttl)
        settings.drainDelay = .seconds(1)
        let registrar = ServiceRegistrar(
            ServiceRegistration(
                id: name,
                name: "greeter",
                address: "127.0.0.1",
                weights: ServiceWeights(passing: weight, warning: 1)
            ),
            client: registry,
            configuration: settings,
            readiness: { $0.port = await ports.first { _ in true } ?? 0 },
            logger: logger
        )

        // Stopped last first: callers are sent elsewhere before the server closes.
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: server), .init(service: registrar),
                    .init(service: MaintenanceSwitch(registrar: registrar)),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        try await group.run()
        try await registry.shutdown()
    }
}

/// Lets an operator take the instance out of service: `kill -USR1`.
struct MaintenanceSwitch: Service {
    let registrar: ServiceRegistrar

    func run() async throws {
        var isOut = false
        for await _ in await UnixSignalsSequence(trapping: .sigusr1).cancelOnGracefulShutdown() {
            isOut.toggle()
            registrar.setMaintenance(isOut, reason: "an operator asked for it")
        }
    }
}
