import MusterBalancing
import MusterDiscovery
import MusterTesting
import Testing

/// Balancers that a watch feeds and tells the time.
@Suite struct BalancingTests {
    private let path = "/v1/health/service/web"

    private struct Broken: Error {}

    @Test func anEjectedInstanceReturnsByTheWatchsOwnTime() async throws {
        try await withDiscovery { registry, discovery, time in
            var options = Balancer.Options()
            options.seed = 1
            options.stripes = 1
            var outliers = OutlierDetection()
            outliers.return = .immediate
            outliers.interval = .seconds(10)
            options.outliers = outliers
            var snapshots = discovery.service("web").snapshots.makeAsyncIterator()
            let balancer = discovery.service("web").balancer(.roundRobin, options: options)
            await registry.next(path).answer(200, index: 5, entries(80, 81, 82))
            _ = await snapshots.next()
            for _ in 0..<30 {
                // The failures are the point.
                try? await balancer.withInstance { endpoint in
                    if endpoint.port == 81 { throw Broken() }
                }
            }
            #expect(balancer.status.ejected.map(\.serviceID) == ["web-81"])
            // The last call came at the beginning: only the watch's timer can know that
            // 30 s passed.
            for seconds in [10, 20, 30] {
                // Balancers keep time in units of about a nanosecond.
                let due = Duration.seconds(seconds)
                _ = await time.sleeper(within: due - .milliseconds(1)...due)
                time.advance(by: .seconds(10))
            }
            while !balancer.status.ejected.isEmpty { await Task.yield() }
            #expect(balancer.status.eligible.count == 3)
        }
    }

    @Test func unhealthyInstancesAreLeftOutUntilTooFewAreLeft() async throws {
        try await withDiscovery { registry, discovery, _ in
            let query = ServiceQuery("web", minimumHealth: .critical)
            var snapshots = discovery.service(query).snapshots.makeAsyncIterator()
            let balancer = discovery.service(query).balancer()
            let good = entries(80, 81).dropLast()
            let bad = entries(90, status: "critical").dropFirst()
            await registry.next(path).answer(200, index: 5, good + "," + bad)
            _ = await snapshots.next()
            #expect(Set(balancer.status.eligible.map(\.serviceID)) == ["web-80", "web-81"])
            await registry.next(path).answer(
                200,
                index: 6,
                entries(80).dropLast() + ","
                    + entries(90, 91, status: "critical").dropFirst()
            )
            _ = await snapshots.next()
            #expect(balancer.status.isPanicking)
            #expect(balancer.status.eligible.count == 3)
        }
    }

    @Test func theZoneOfTheOptionsIsPreferred() async throws {
        try await withDiscovery { registry, discovery, _ in
            var options = Balancer.Options()
            options.zone = "here"
            var snapshots = discovery.service("web").snapshots.makeAsyncIterator()
            let balancer = discovery.service("web").balancer(.roundRobin, options: options)
            let here = entries(80, zone: "here").dropLast()
            await registry.next(path).answer(
                200,
                index: 5,
                here + "," + entries(90, zone: "there").dropFirst()
            )
            _ = await snapshots.next()
            for _ in 0..<10 { #expect(port(balancer) == 80) }
        }
    }

    @Test func theRetryBudgetCountsByTheDiscoverysClock() async throws {
        try await withDiscovery { registry, discovery, time in
            var options = Balancer.Options()
            options.retryBudget = RetryBudget(share: 0, minimumPerSecond: 1, window: .seconds(2))
            var snapshots = discovery.service("web").snapshots.makeAsyncIterator()
            let balancer = discovery.service("web").balancer(.roundRobin, options: options)
            await registry.next(path).answer(200, index: 5, entries(80, 81, 82))
            _ = await snapshots.next()
            var attempts = 0
            let failover = FailoverPolicy.nextInstance(attempts: 3) { _ in true }
            for _ in 0..<2 {
                await #expect(throws: Broken.self) {
                    try await balancer.withInstance(failover: failover) { _ in
                        attempts += 1
                        throw Broken()
                    }
                }
            }
            // Two retries for both calls; after the window there are two more.
            #expect(attempts == 4)
            #expect(balancer.retryBudget.refusals == 1)
            #expect(balancer.retryBudget.balance(at: time.now + .seconds(3)) == 2)
        }
    }
}
