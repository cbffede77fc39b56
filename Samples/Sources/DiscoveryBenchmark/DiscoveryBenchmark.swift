import CAllocations
import Foundation
import Logging
import MusterAPI
import MusterBalancing
import MusterDiscovery

/// Measures what lookups cost against a real registry: delay, memory, and the price of a lookup.
///
/// Takes the registry from `CONSUL_HTTP_ADDR`; it must allow some thousand connections from one
/// address. One line per figure, with the goal. Build with `-c release`.
@main
struct DiscoveryBenchmark {
    static func main() async throws {
        let registry = try MusterClient(configuration: .fromEnvironment())
        var configuration = Discovery.Configuration()
        configuration.firstAnswerTimeout = .seconds(30)
        var logger = Logger(label: "benchmark")
        logger.logLevel = .error
        let discovery = Discovery(
            client: registry,
            configuration: configuration,
            logger: logger
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await discovery.run() }
            let bench = Bench(registry: registry, discovery: discovery)
            try await bench.measureChanges(services: 100, instances: 10)
            try await bench.measureMemory(instances: 1000)
            try await bench.measureIdleWatches(1000)
            group.cancelAll()
        }
        try await registry.shutdown()
    }
}

struct Bench {
    let registry: MusterClient
    let discovery: Discovery

    // MARK: Change to snapshot

    /// How long after the registry has answered a write its change is in the snapshot.
    ///
    /// Each service is changed twice only: more often, and a watch takes its time on purpose.
    func measureChanges(services: Int, instances: Int) async throws {
        let names = (0..<services).map { "changes-\($0)" }
        for name in names {
            for number in 1...instances { try await register(name, number, port: 1000) }
        }
        let watches = names.map { discovery.service(ServiceQuery($0)) }
        for watch in watches { _ = try await watch.firstSnapshot() }
        try await Task.sleep(for: .seconds(5))
        var fromRequest: [Duration] = []
        var fromAnswer: [Duration] = []
        for round in 1...2 {
            for watch in watches {
                let port = 1000 + round
                async let seen = moment(watch, when: port)
                let sent = ContinuousClock.now
                try await register(watch.query.name, 1, port: port)
                let answered = ContinuousClock.now
                let arrived = await seen
                fromRequest.append(sent.duration(to: arrived))
                fromAnswer.append(max(.zero, answered.duration(to: arrived)))
            }
            try await Task.sleep(for: .seconds(5))
        }
        let what = "changes=\(fromAnswer.count) instances=\(instances)"
        print(
            "change-to-snapshot \(what) after-commit p50 \(percentile(fromAnswer, 50)) us "
                + "p99 \(percentile(fromAnswer, 99)) us goal=1000 us, 5000 us; "
                + "write-included p50 \(percentile(fromRequest, 50)) us "
                + "p99 \(percentile(fromRequest, 99)) us"
        )
    }

    /// When the first instance of a service was seen to have the port.
    private func moment(_ watch: WatchedService, when port: Int) async -> ContinuousClock.Instant {
        for await snapshot in watch.snapshots
        where snapshot.instances.contains(where: { Int($0.endpoint.port) == port }) {
            break
        }
        return .now
    }

    private func register(_ service: String, _ number: Int, port: Int) async throws {
        try await registry.catalog.register(
            CatalogRegistration(
                node: "node-\(number)",
                address: "10.0.\(number / 250).\(number % 250)",
                service: AgentService(
                    id: "\(service)-\(number)",
                    name: service,
                    tags: ["v2", "production"],
                    meta: [
                        "zone": "eu-1\(["a", "b", "c"][number % 3])",
                        "version": "2.17.\(number % 3)",
                    ],
                    port: port,
                    weights: ServiceWeights(passing: number % 10 + 1, warning: 1)
                ),
                check: HealthCheck(
                    node: "node-\(number)",
                    checkID: "\(service)-\(number)",
                    name: "alive",
                    status: .passing,
                    serviceID: "\(service)-\(number)"
                )
            )
        )
    }

    // MARK: Memory

    /// What a snapshot's instances take, and what looking them up costs.
    func measureMemory(instances: Int) async throws {
        for number in 1...instances { try await register("many", number, port: 80) }
        // The connections and buffers of a first watch are not the instances' fault.
        _ = try await discovery.service("changes-0").firstSnapshot()
        try await Task.sleep(for: .seconds(1))
        let before = allocated_bytes()
        let watch = discovery.service("many")
        let snapshot = try await watch.firstSnapshot()
        precondition(snapshot.instances.count == instances, "\(snapshot.instances.count)")
        try await Task.sleep(for: .seconds(1))
        let bytes = (allocated_bytes() - before) / instances
        print("memory-per-instance instances=\(instances) \(bytes) bytes goal=300 bytes")
        measureLookup(watch)
    }

    private func measureLookup(_ watch: WatchedService) {
        let count = 1_000_000
        var best = Duration.seconds(1)
        var total = 0
        let before = allocations_of_this_thread()
        for _ in 0..<5 {
            let took = ContinuousClock().measure {
                for _ in 0..<count { total &+= watch.current?.instances.count ?? 0 }
            }
            best = min(best, took)
        }
        let allocations = allocations_of_this_thread() - before
        precondition(total == 5 * count * (watch.current?.instances.count ?? 0))
        let nanoseconds = best / .nanoseconds(1) / Double(count)
        print(
            "cached-lookup \(Int(nanoseconds.rounded())) ns allocations=\(allocations) goal=50 ns"
        )
    }

    /// What a watch takes that waits for a change, its connection included.
    func measureIdleWatches(_ count: Int) async throws {
        let before = allocated_bytes()
        let resident = Self.residentBytes()
        let watches = (0..<count).map { discovery.service(ServiceQuery("idle-\($0)")) }
        for watch in watches { _ = try await watch.firstSnapshot() }
        // The second request of each is the one that waits.
        try await Task.sleep(for: .seconds(5))
        let bytes = (allocated_bytes() - before) / count
        let pages = (Self.residentBytes() - resident) / count
        withExtendedLifetime(watches) {
            print(
                "memory-per-idle-watch watches=\(count) \(bytes) bytes, "
                    + "resident \(pages) bytes goal=25000 bytes"
            )
        }
    }

    private static func residentBytes() -> Int {
        // Where there is no such file, the figure is 0.
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let fields = text.split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4096 : 0
    }

    private func percentile(_ values: [Duration], _ share: Int) -> Int {
        let sorted = values.sorted()
        let index = min(sorted.count - 1, sorted.count * share / 100)
        return Int(sorted[index] / .microseconds(1))
    }
}
