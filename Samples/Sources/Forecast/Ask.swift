import ArgumentParser
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Logging
import MusterAPI
import MusterDiscovery
import MusterGRPC

/// Asks the instances one after another.
struct Ask: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Asks for tomorrow's weather, and says how many answers each instance gave."
    )

    @Option(help: "How many calls to make.")
    var calls = 300

    @Option(help: "How many milliseconds to wait between two calls.")
    var pause = 0

    @Argument(help: "Where.")
    var place = "Rome"

    func run() async throws {
        var logger = Logger(label: "ask")
        logger.logLevel = .notice
        let registry = try MusterClient(configuration: .fromEnvironment())
        let discovery = Discovery(client: registry, logger: logger)
        let answers = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await discovery.run() }
            defer { group.cancelAll() }
            return try await ask(discovery, logger)
        }
        try await registry.shutdown()
        for (answer, count) in answers.sorted(by: { $0.key < $1.key }) {
            logger.notice("\(count) times: \(answer)")
        }
    }

    private func ask(_ discovery: Discovery, _ logger: Logger) async throws -> [String: Int] {
        var settings = BalancedTransport.Settings()
        settings.policy = .smoothWeightedRoundRobin
        // The call does no harm when it is made twice: a failed one goes to another instance.
        settings.serviceConfig.methodConfig = [
            MethodConfig(
                names: [MethodConfig.Name(service: "samples.Forecast", method: "Tomorrow")],
                timeout: .seconds(2),
                executionPolicy: .retry(
                    RetryPolicy(
                        maxAttempts: 4,
                        initialBackoff: .milliseconds(5),
                        maxBackoff: .milliseconds(100),
                        backoffMultiplier: 2,
                        retryableStatusCodes: [.unavailable]
                    )
                )
            )
        ]
        let transport = try BalancedTransport(
            service: discovery.service("forecast"),
            transportSecurity: .plaintext,
            settings: settings,
            logger: logger
        )
        return try await withGRPCClient(transport: transport) { client in
            let forecast = ForecastService.Client(client: client)
            var answers: [String: Int] = [:]
            for _ in 0..<calls {
                answers[try await forecast.tomorrow(in: place), default: 0] += 1
                if pause > 0 { try await Task.sleep(for: .milliseconds(pause)) }
            }
            return answers
        }
    }
}
