import ArgumentParser
import Logging
import MusterAPI
import MusterCoordination
import ServiceLifecycle

/// Work that only one of many instances may do at a time.
///
/// Start it several times: one leads; when it ends or dies, another takes over. Each tenure has a
/// token that is greater than all before it: whoever stores the work's results refuses lower ones.
@main
struct Indexer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Counts, in whichever of its instances is the leader."
    )

    @Option(help: "The instance's name.")
    var name = "indexer-1"

    @Option(help: "The key of the lock.")
    var key = "jobs/indexer/leader"

    @Option(help: "After how many seconds a leader that died is replaced; at least 10.")
    var ttl = 10

    func run() async throws {
        var logger = Logger(label: name)
        logger.logLevel = .notice
        let registry = try MusterClient(configuration: .fromEnvironment())

        var options = LockOptions()
        options.value = Array(name.utf8)
        options.sessionTTL = .seconds(ttl)
        // How long the work of a leader that died may go on unseen; ours stops when it is told to.
        options.lockDelay = .seconds(1)
        options.logger = logger
        let election = LeaderElection(key: key, client: registry, options: options) {
            [logger] token in
            logger.notice("leads with \(token)")
            await work(token, logger)
            logger.notice("leads no more")
        }
        let group = ServiceGroup(
            services: [election],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        try await group.run()
        try await registry.shutdown()
    }

    /// Goes on until leadership is lost: then the task is cancelled.
    private func work(_ token: FencingToken, _ logger: Logger) async {
        var count = 0
        while !Task.isCancelled {
            count += 1
            logger.notice("counts \(count) under \(token)")
            // The sleep only throws when cancelled, which ends the loop.
            try? await Task.sleep(for: .milliseconds(500))
        }
    }
}
