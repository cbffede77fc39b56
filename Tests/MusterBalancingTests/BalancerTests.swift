import MusterBalancing
import Synchronization
import Testing

@Suite struct BalancerTests {
    @Test func pickingBeforeTheFirstSnapshotSaysSo() {
        #expect(throws: BalancingError(code: .noSnapshot)) { _ = try Balancer().pick() }
    }

    @Test func pickingFromAnEmptyServiceSaysSo() {
        let balancer = balancer(.roundRobin, weights: [])
        #expect(throws: BalancingError(code: .noInstances)) { _ = try balancer.pick() }
    }

    @Test func criticalAndMaintainedInstancesAreNeverPicked() throws {
        var list = instances(weights: [1, 1, 1, 1])
        list[0].health = .critical
        list[1].health = .maintenance
        list[2].health = .warning
        let balancer = balancer(.roundRobin, weights: [])
        balancer.update(snapshot(list))
        #expect(try balancer.counts(picks: 10, instances: 4) == [0, 0, 5, 5])
    }

    @Test func weightZeroDrainsUnlessAllHaveIt() throws {
        for policy in [
            BalancingPolicy.roundRobin, .weightedRoundRobin, .smoothWeightedRoundRobin, .random,
            .weightedRandom,
        ] {
            let drained = try balancer(policy, weights: [0, 1]).counts(picks: 50, instances: 2)
            #expect(drained == [0, 50])
            let all = try balancer(policy, weights: [0, 0]).counts(picks: 400, instances: 2)
            #expect(all.allSatisfy { $0 > 100 }, "\(policy): \(all)")
        }
    }

    @Test func aPickNamesTheInstanceOfItsSnapshot() throws {
        let balancer = balancer(.roundRobin, weights: [1, 1, 1])
        let pick = try balancer.pick()
        let instance = balancer.instance(of: pick)
        #expect(instance?.endpoint == pick.endpoint)
        balancer.update(snapshot(instances(weights: [1]), generation: 2))
        let later = balancer.instance(of: pick)
        #expect(later == nil)
    }

    @Test func membershipChangesNeverLeadToAnInstanceThatIsGone() throws {
        var random = SeededRandom(seed: 7)
        let all = instances(weights: (1...300).map { UInt32($0 % 9) })
        for policy in [
            BalancingPolicy.roundRobin, .weightedRoundRobin, .smoothWeightedRoundRobin, .random,
            .weightedRandom,
        ] {
            let balancer = balancer(policy, weights: [])
            for generation in 1...60 {
                let count = Int.random(in: 1...300, using: &random)
                let members = Array(all.shuffled(using: &random).prefix(count))
                let snapshot = snapshot(members, generation: UInt64(generation))
                balancer.update(snapshot)
                let endpoints = Set(members.map(\.endpoint))
                for _ in 0..<50 {
                    let pick = try balancer.pick()
                    #expect(endpoints.contains(pick.endpoint))
                    #expect(pick.generation == UInt64(generation))
                    #expect(snapshot.instances[pick.index].endpoint == pick.endpoint)
                }
            }
        }
    }

    @Test func anAvoidedEndpointIsPassedOverWhileThereIsAnother() throws {
        let balancer = balancer(.roundRobin, weights: [1, 1, 1])
        let avoided = try balancer.pick().endpoint
        for _ in 0..<20 {
            #expect(try balancer.pick(PickRequest(avoiding: avoided)).endpoint != avoided)
        }
        let single = self.balancerOfOne()
        let only = try single.pick().endpoint
        #expect(try single.pick(PickRequest(avoiding: only)).endpoint == only)
    }

    @Test func threadsThatPickDuringUpdatesSeeOnlyWholeEndpoints() async throws {
        let balancer = Balancer(policy: .smoothWeightedRoundRobin)
        // Address, port and generation of every instance agree: a torn read would not.
        let snapshots = (1...40).map(numbered)
        balancer.update(snapshots[0])
        let torn = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    var torn = 0
                    for _ in 0..<20_000 {
                        let pick = try balancer.pick()
                        let port = Int(pick.endpoint.port)
                        let host = "10.\(port / 256).0.\(port % 256)"
                        if UInt64(port / 256) != pick.generation
                            || pick.endpoint != ServiceEndpoint(host: host, port: UInt16(port))
                        {
                            torn += 1
                        }
                    }
                    return torn
                }
            }
            group.addTask {
                for _ in 0..<50 { for snapshot in snapshots { balancer.update(snapshot) } }
                return 0
            }
            return try await group.reduce(0, +)
        }
        #expect(torn == 0)
    }

    /// A snapshot in which generation, address and port of every instance agree.
    private func numbered(_ generation: Int) -> ServiceSnapshot {
        var list: [Instance] = []
        for position in 0...(generation % 17) {
            let port = UInt16(generation * 256 + position)
            guard
                let endpoint = ServiceEndpoint(host: "10.\(generation).0.\(position)", port: port)
            else { continue }
            let id = InstanceID(node: "n\(100 + position)", serviceID: "s")
            list.append(Instance(id: id, endpoint: endpoint, weight: UInt32(position % 3 + 1)))
        }
        return snapshot(list, generation: UInt64(generation))
    }

    private func balancerOfOne() -> Balancer { balancer(.random, weights: [1]) }
}

@Suite struct PickTests {
    final class Outcomes: CallRecorder {
        let list = Mutex<[CallOutcome]>([])

        func record(_ outcome: CallOutcome, at endpoint: ServiceEndpoint) {
            list.withLock { $0.append(outcome) }
        }

        var all: [CallOutcome] { list.withLock(\.self) }
    }

    private struct Broken: Error {}

    private func observed() -> (Balancer, Outcomes) {
        let outcomes = Outcomes()
        var options = Balancer.Options()
        options.recorder = outcomes
        let balancer = Balancer(policy: .roundRobin, options: options)
        balancer.update(snapshot(instances(weights: [1, 1, 1])))
        return (balancer, outcomes)
    }

    @Test func aPickIsCompletedExactlyOnce() throws {
        let (balancer, outcomes) = observed()
        let first = try balancer.pick()
        first.complete(.failure)
        let second = try balancer.pick()
        second.complete(.success)
        #expect(outcomes.all == [.failure, .success])
    }

    @Test func aPickThatIsDroppedCountsAsCancelled() throws {
        let (balancer, outcomes) = observed()
        _ = try balancer.pick()
        #expect(outcomes.all == [.cancelled])
    }

    @Test func aFailedCallIsRepeatedOnAnotherInstanceWhenAllowed() async throws {
        let (balancer, outcomes) = observed()
        var seen: [ServiceEndpoint] = []
        let policy = FailoverPolicy.nextInstance(attempts: 3) { $0 is Broken }
        let answer = try await balancer.withInstance(failover: policy) { endpoint in
            seen.append(endpoint)
            if seen.count < 3 { throw Broken() }
            return 42
        }
        #expect(answer == 42)
        #expect(Set(seen).count == 3)
        #expect(outcomes.all == [.failure, .failure, .success])
    }

    @Test func attemptsAreCountedAndTheLastErrorIsThrown() async {
        let (balancer, outcomes) = observed()
        let policy = FailoverPolicy.nextInstance(attempts: 2) { _ in true }
        await #expect(throws: Broken.self) {
            try await balancer.withInstance(failover: policy) { _ in throw Broken() }
        }
        #expect(outcomes.all == [.failure, .failure])
    }

    @Test func cancellationIsNeverRepeatedNorBlamedOnTheInstance() async {
        let (balancer, outcomes) = observed()
        let policy = FailoverPolicy.nextInstance(attempts: 5) { _ in true }
        await #expect(throws: CancellationError.self) {
            try await balancer.withInstance(failover: policy) { _ in throw CancellationError() }
        }
        #expect(outcomes.all == [.cancelled])
    }
}
