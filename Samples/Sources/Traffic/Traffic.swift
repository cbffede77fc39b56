import ArgumentParser
import AsyncHTTPClient
import Logging
import MusterAPI
import MusterBalancing
import MusterDiscovery
import NIOCore
import ServiceLifecycle

/// Calls the greeter instances through a balancer, and shows where the calls go.
@main
struct Traffic: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Balances calls over the greeter instances and draws what happens."
    )

    @Option(help: "How many calls per second to make.")
    var rate = 200

    @Option(
        help: """
            roundRobin, weightedRoundRobin, smoothWeightedRoundRobin, random, weightedRandom, \
            leastRequest, peakEWMA
            """
    )
    var policy = "smoothWeightedRoundRobin"

    @Option(help: "A file to append counts to, one line per instance and half second.")
    var counts: String?

    @Option(help: "A file whose last line is shown as what is happening.")
    var story: String?

    @Flag(help: "Print plain lines even on a terminal.")
    var plain = false

    func run() async throws {
        var logger = Logger(label: "traffic")
        logger.logLevel = .critical
        let registry = try MusterClient(configuration: .fromEnvironment())
        var settings = Discovery.Configuration()
        // A handful of consumers may ask often, also while everything changes all the time.
        settings.slowestRefresh = .seconds(1)
        let discovery = Discovery(client: registry, configuration: settings, logger: logger)

        // What is called: the passing instances. What is shown: all of them.
        let tally = Tally()
        let caller = Caller(
            greeters: discovery.service("greeter"),
            policy: try balancingPolicy(),
            http: HTTPClient(configuration: Caller.settings),
            tally: tally,
            rate: max(1, min(rate, 5000))
        )
        let view = View(
            instances: discovery.service(ServiceQuery("greeter", minimumHealth: .maintenance)),
            tally: tally,
            registry: "\(registry.configuration.address)",
            screen: plain ? .lines : Screen.current(),
            story: story,
            counts: try counts.map(CountsFile.init)
        )

        // The first three run until the signal; then everything stops, the discovery last.
        let group = ServiceGroup(
            services: [discovery, caller, view],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        try await group.run()
        try await caller.http.shutdown()
        try await registry.shutdown()
    }

    private func balancingPolicy() throws -> BalancingPolicy {
        switch policy {
        case "roundRobin": .roundRobin
        case "weightedRoundRobin": .weightedRoundRobin
        case "smoothWeightedRoundRobin": .smoothWeightedRoundRobin
        case "random": .random
        case "weightedRandom": .weightedRandom
        case "leastRequest": .leastRequest()
        case "peakEWMA": .peakEWMA()
        default: throw ValidationError("There is no policy \"\(policy)\".")
        }
    }
}

/// Makes the calls.
struct Caller: Service {
    let greeters: WatchedService
    let policy: BalancingPolicy
    let http: HTTPClient
    let tally: Tally
    let rate: Int

    /// Fails fast, so that a call that meets a dead instance goes to another at once.
    static var settings: HTTPClient.Configuration {
        var settings = HTTPClient.Configuration()
        settings.connectionPool.retryConnectionEstablishment = false
        settings.timeout.connect = .milliseconds(500)
        return settings
    }

    func run() async throws {
        // An instance that fails twice in a row is left alone for a while: whoever is dead is so
        // for all, but the registry needs some seconds to notice.
        var options = Balancer.Options()
        var outliers = OutlierDetection()
        outliers.consecutiveFailures = 2
        outliers.baseEjection = .seconds(2)
        outliers.longestEjection = .seconds(10)
        outliers.largestShare = 0.3
        options.outliers = outliers
        let balancer = greeters.balancer(policy, options: options)
        let workers = min(rate, 8)
        let pause = Duration.seconds(1) * workers / rate
        await cancelWhenGracefulShutdown {
            // Nothing is called before there is something to call.
            for await snapshot in greeters.snapshots where !snapshot.instances.isEmpty { break }
            await withDiscardingTaskGroup { group in
                for worker in 0..<workers {
                    group.addTask {
                        var next = ContinuousClock.now + pause * worker / workers
                        while !Task.isCancelled {
                            // The sleep only throws when cancelled, which ends the loop.
                            try? await ContinuousClock().sleep(until: next)
                            await call(balancer)
                            next = max(next + pause, .now)
                        }
                    }
                }
            }
        }
    }

    /// One call; a failure is repeated on another instance, since asking twice does no harm.
    private func call(_ balancer: Balancer) async {
        let started = ContinuousClock.now
        do {
            try await balancer.withInstance(failover: .nextInstance(attempts: 5) { _ in true }) {
                endpoint in
                do {
                    let request = HTTPClientRequest(
                        url: "http://\(endpoint.authority)/greetings/stranger"
                    )
                    let response = try await http.execute(request, timeout: .seconds(2))
                    _ = try await response.body.collect(upTo: 4096)
                    guard response.status == .ok else { throw Refused() }
                    tally.answered(by: endpoint, after: started.duration(to: .now))
                } catch {
                    if !Task.isCancelled { tally.failed(at: endpoint) }
                    throw error
                }
            }
        } catch {
            if !Task.isCancelled { tally.lost() }
        }
    }

    private struct Refused: Error {}
}
