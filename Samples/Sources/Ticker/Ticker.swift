import ArgumentParser
import Configuration
import Logging
import MusterAPI
import MusterConfiguration
import ServiceLifecycle

/// A program whose settings live in the registry and may change while it runs.
///
/// It says what the key `config/ticker/message` holds, every `config/ticker/interval/ms`.
@main
struct Ticker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says what the key PREFIX/message holds, as often as PREFIX/interval/ms says."
    )

    @Option(help: "Where its settings are.")
    var prefix = "config/ticker"

    func run() async throws {
        var logger = Logger(label: "ticker")
        logger.logLevel = .notice
        let registry = try MusterClient(configuration: .fromEnvironment())

        // Without an answer of the registry it starts with the defaults, and takes what comes.
        var settings = KeyValueProvider.Settings()
        settings.absence = .startsEmpty
        let keys = try await KeyValueProvider(
            client: registry,
            prefix: prefix,
            settings: settings,
            logger: logger
        )
        // The environment (`MESSAGE=… Ticker`) counts more than the registry.
        let config = ConfigReader(providers: [EnvironmentVariablesProvider(), keys])

        let group = ServiceGroup(
            services: [
                keys, Clock(config: config, logger: logger),
                Watcher(config: config, logger: logger),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        try await group.run()
        try await registry.shutdown()
    }
}

/// Reads its settings anew each time: a look into memory.
struct Clock: Service {
    let config: ConfigReader
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                logger.notice("\(config.string(forKey: "message", default: "tick"))")
                let pause = max(1, config.int(forKey: "interval.ms", default: 1000))
                // The sleep only throws when cancelled, which ends the loop.
                try? await Task.sleep(for: .milliseconds(pause))
            }
        }
    }
}

/// Is told when something has changed, with all settings as they were at one moment.
struct Watcher: Service {
    let config: ConfigReader
    let logger: Logger

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await config.watchSnapshot { snapshots in
                for await snapshot in snapshots {
                    let message = snapshot.string(forKey: "message", default: "tick")
                    let pause = snapshot.int(forKey: "interval.ms", default: 1000)
                    logger.notice("settings: \"\(message)\" every \(pause) ms")
                }
            }
        }
    }
}
