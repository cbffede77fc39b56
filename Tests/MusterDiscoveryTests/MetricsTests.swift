import CoreMetrics
import MetricsTestKit
import MusterBalancing
import MusterDiscovery
import MusterTesting
import Testing

/// What a discovery counts and what it says.
@Suite(.timeLimit(.minutes(1))) struct MetricsTests {
    private let path = "/v1/health/service/web"
    private let dimensions = [("service", "web"), ("query", "")]

    private func requests(_ metrics: TestMetrics, _ result: String) throws -> Int64 {
        let all = dimensions + [("result", result)]
        return try metrics.expectCounter("discovery_watch_requests", all).totalValue
    }

    @Test func requestsAreCountedByTheirResult() async throws {
        let metrics = TestMetrics()
        try await withDiscovery(metrics: metrics) { registry, discovery, time in
            let service = discovery.service("web")
            var snapshots = service.snapshots.makeAsyncIterator()
            await registry.next(path).answer(200, index: 5, entries(80))
            _ = await snapshots.next()
            await registry.next(path).answer(200, index: 5, entries(80))
            time.advance(by: .seconds(2))
            await registry.next(path).answer(500)
            _ = await snapshots.next()
            time.advance(by: .seconds(2))
            await registry.next(path).answer(429)
            _ = await time.sleeper(within: .seconds(4) ... .seconds(7))
            for result in ["changed", "unchanged", "failed", "limited"] {
                let count = try requests(metrics, result)
                #expect(count == 1, "\(result)")
            }
        }
    }

    @Test func gaugesShowInstancesAgeAndProtectionAndResetsAreCounted() async throws {
        let metrics = TestMetrics()
        try await withDiscovery(metrics: metrics) { registry, discovery, time in
            var snapshots = discovery.service("web").snapshots.makeAsyncIterator()
            await registry.next(path).answer(200, index: 50, entries(80, 81))
            _ = await snapshots.next()
            let instances = try metrics.expectGauge("discovery_snapshot_instances", dimensions)
            let protected = try metrics.expectGauge("discovery_protected", dimensions)
            let age = try metrics.expectGauge("discovery_watch_age_seconds", dimensions)
            let resets = try metrics.expectCounter("discovery_index_resets", dimensions)
            #expect(instances.lastValue == 2)
            #expect(protected.lastValue == 0)
            time.advance(by: .seconds(7))
            await registry.next(path).answer(500)
            _ = await snapshots.next()
            while age.lastValue != 7 { await Task.yield() }
            time.advance(by: .seconds(1))
            await registry.next(path).answer(200, index: 60, "[]")
            _ = await snapshots.next()
            #expect(protected.lastValue == 1)
            #expect(instances.lastValue == 2)
            time.advance(by: .seconds(1))
            await registry.next(path).answer(200, index: 4, entries(80, 81))
            _ = await snapshots.next()
            #expect(protected.lastValue == 0)
            while resets.totalValue == 0 { await Task.yield() }
            #expect(resets.totalValue == 1)
            #expect(age.lastValue == 0)
        }
    }

    @Test func ejectionsPanicAndRefusedRetriesAreSeen() async throws {
        struct Broken: Error {}
        let metrics = TestMetrics()
        try await withDiscovery(metrics: metrics) { registry, discovery, time in
            var options = Balancer.Options()
            options.seed = 1
            options.stripes = 1
            options.outliers = OutlierDetection()
            options.retryBudget = RetryBudget(share: 0, minimumPerSecond: 0, window: .seconds(2))
            let query = ServiceQuery("web", minimumHealth: .critical)
            let service = discovery.service(query)
            var snapshots = service.snapshots.makeAsyncIterator()
            let balancer = service.balancer(.roundRobin, options: options)
            await registry.next(path).answer(200, index: 5, entries(80, 81, 82))
            _ = await snapshots.next()
            let failover = FailoverPolicy.nextInstance(attempts: 2) { _ in true }
            for _ in 0..<30 {
                // The failures are the point.
                try? await balancer.withInstance(failover: failover) { endpoint in
                    if endpoint.port == 81 { throw Broken() }
                }
            }
            let critical = entries(90, 91, 92, 93, status: "critical").dropFirst()
            await registry.next(path).answer(
                200,
                index: 6,
                entries(80, 81).dropLast() + "," + critical
            )
            _ = await snapshots.next()
            let labelled = [("service", "web"), ("query", "health=critical")]
            let ejected = try metrics.expectGauge("balancer_ejected", labelled)
            let panicking = try metrics.expectGauge("balancer_panicking", labelled)
            let refused = try metrics.expectCounter("balancer_retry_budget_exhausted", labelled)
            while ejected.lastValue != 1 || panicking.lastValue != 1 { await Task.yield() }
            #expect(refused.totalValue == Int64(balancer.retryBudget.refusals))
            #expect(refused.totalValue > 0)
        }
    }

    @Test func theInstrumentsOfAWatchThatEndedAreGivenBack() async throws {
        let metrics = TestMetrics()
        try await withDiscovery(metrics: metrics) { registry, discovery, time in
            do {
                let service = discovery.service("web")
                await registry.next(path).answer(200, index: 5, entries(80))
                _ = try await service.firstSnapshot()
            }
            _ = await time.sleeper(within: .seconds(30) ... .seconds(30))
            let hanging = await registry.next(path)
            time.advance(by: .seconds(30))
            await hanging.closed()
            #expect(throws: (any Error).self) {
                try metrics.expectGauge("discovery_snapshot_instances", dimensions)
            }
        }
    }

    @Test func aFailingRegistryIsToldOnceAndSoIsItsReturn() async throws {
        let log = LogLines()
        try await withDiscovery(logger: log.logger) { registry, discovery, time in
            var snapshots = discovery.service("web").snapshots.makeAsyncIterator()
            await registry.next(path).answer(200, index: 5, entries(80))
            _ = await snapshots.next()
            for _ in 0..<4 {
                await registry.next(path).answer(500)
                _ = await time.sleeper(within: .zero ... .seconds(600))
                time.advance(by: .seconds(12))
            }
            await registry.next(path).answer(200, index: 5, entries(80))
            while snapshotIsStale(await snapshots.next()) {}
            #expect(log.count("warning: The registry does not answer") == 1)
            #expect(log.count("notice: The registry answers again") == 1)
            #expect(!log.contains(secretToken))
        }
    }

    private func snapshotIsStale(_ snapshot: ServiceSnapshot?) -> Bool {
        if case .stale = snapshot?.origin { true } else { false }
    }
}
