@testable import MusterBalancing
import Synchronization
import Testing

/// Four threads pick and complete while a fifth changes everything.
@Suite struct ConcurrencyTests {
    static let policies: [BalancingPolicy] = [
        .roundRobin, .weightedRoundRobin, .smoothWeightedRoundRobin, .random, .weightedRandom,
        .leastRequest(), .leastRequest(choices: 5), .peakEWMA(),
        .consistentHash(.maglev(size: 251)),
        .consistentHash(.ring(minimum: 64, maximum: 256), boundedLoad: 1.25), .sticky,
        .custom("first") { First(count: $0.instances.count) },
    ]

    struct First: InstancePicker {
        let count: Int
        func pick(_ request: PickRequest) -> Int? { Int((request.hash ?? 0) % UInt64(count)) }
    }

    /// Counts picks of all threads, as their time.
    final class Steps: Sendable {
        private let count = Atomic(0)
        func next() -> Int { count.add(1, ordering: .relaxed).newValue }
    }

    /// A snapshot in which generation, address and port of every instance agree.
    private func numbered(_ generation: Int) -> ServiceSnapshot {
        let list = (0...(generation % 17)).compactMap { position -> Instance? in
            let port = UInt16(generation * 256 + position)
            let id = InstanceID(node: "n\(100 + position)", serviceID: "s")
            return ServiceEndpoint(host: "10.\(generation).0.\(position)", port: port).map {
                Instance(id: id, endpoint: $0, weight: UInt32(position % 3))
            }
        }
        return snapshot(list, generation: UInt64(generation))
    }

    @Test(arguments: policies.indices)
    func picksAreWholeAndEveryCallIsUncounted(_ policy: Int) async throws {
        var options = Balancer.Options()
        options.stripes = 2
        options.slowStart = SlowStart(window: .milliseconds(50))
        var outliers = OutlierDetection()
        outliers.largestShare = 0.5
        outliers.baseEjection = .milliseconds(20)
        outliers.interval = .milliseconds(10)
        outliers.minimumCalls = 5
        options.outliers = outliers
        let balancer = Balancer(policy: Self.policies[policy], options: options)
        let snapshots = (1...40).map(numbered)
        balancer.update(snapshots[0])
        let start = ContinuousClock.now
        let steps = Steps()
        let torn = try await withThrowingTaskGroup(of: Int.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    var random = SeededRandom(seed: UInt64(worker))
                    var torn = 0
                    for _ in 0..<4000 {
                        let milliseconds = steps.next() / 16
                        let now = start + .milliseconds(milliseconds)
                        let request = PickRequest(hash: random.next())
                        let pick = try balancer.pick(request, at: now)
                        let port = Int(pick.endpoint.port)
                        let host = "10.\(port / 256).0.\(port % 256)"
                        if UInt64(port / 256) != pick.generation
                            || pick.endpoint != ServiceEndpoint(host: host, port: UInt16(port))
                        {
                            torn += 1
                        }
                        switch random.next() % 4 {
                        case 0: break
                        case 1: pick.complete(.failure)
                        default: pick.complete(.success, latency: .milliseconds(3), at: now)
                        }
                    }
                    return torn
                }
            }
            group.addTask {
                for _ in 0..<10 { for snapshot in snapshots { balancer.update(snapshot) } }
                return 0
            }
            return try await group.reduce(0, +)
        }
        #expect(torn == 0)
        #expect(balancer.status.inFlight == 0)
        #expect(balancer.ledger.total == 0)
    }

    @Test func trackersAreUsedAgainSoThatMemoryStaysBounded() throws {
        let lists = (0..<2).map { side in
            (0..<100).compactMap { number in
                ServiceEndpoint(host: "10.\(side).0.\(number)", port: 1).map {
                    Instance(
                        id: InstanceID(node: "\(side)-\(number)", serviceID: "s"),
                        endpoint: $0
                    )
                }
            }
        }
        let before = TrackerPool.shared.made
        for round in 0..<50 {
            let balancer = balancer(.leastRequest(), weights: [])
            for turn in 0..<10 {
                balancer.update(snapshot(lists[turn % 2], generation: UInt64(turn)))
                _ = try balancer.pick()
            }
            #expect(try balancer.pick().generation == 9, "round \(round)")
        }
        // 50,000 instances came and went; other tests run at the same time.
        #expect(TrackerPool.shared.made - before < 20_000)
    }

    @Test func aPickThatOutlivesItsBalancerKeepsItsBlock() throws {
        var held = Held()
        for _ in 0..<20 {
            let balancer = balancer(.leastRequest(), weights: [1, 1])
            held.hold(try balancer.pick())
        }
        let other = balancer(.leastRequest(), weights: [UInt32](repeating: 1, count: 200))
        #expect(other.status.inFlight == 0)
        held.release()
        #expect(other.status.inFlight == 0)
    }
}
