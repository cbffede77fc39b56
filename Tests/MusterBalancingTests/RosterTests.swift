@testable import MusterBalancing
import Testing

/// A balancer with options, one thread's order exact, and what happens to it told in milliseconds.
private struct Scene {
    let start = ContinuousClock.now
    let balancer: Balancer
    var list: [Instance]

    init(
        _ policy: BalancingPolicy = .roundRobin,
        weights: [UInt32],
        _ change: (inout Balancer.Options) -> Void
    ) {
        var options = Balancer.Options()
        options.stripes = 1
        options.seed = 1
        change(&options)
        balancer = Balancer(policy: policy, options: options)
        list = instances(weights: weights)
        update(at: 0)
    }

    func update(at milliseconds: Int) {
        balancer.update(
            ServiceSnapshot(instances: list, confirmed: start),
            at: start + .milliseconds(milliseconds)
        )
    }

    /// Shares of `picks` picks made at a moment.
    func counts(_ picks: Int, at milliseconds: Int) throws -> [Int] {
        var counts = [Int](repeating: 0, count: list.count)
        for _ in 0..<picks {
            let pick = try balancer.pick(.any, at: start + .milliseconds(milliseconds))
            counts[pick.index] += 1
            pick.complete(.success)
        }
        return counts
    }

    /// Calls of which those at `bad` fail.
    func call(_ calls: Int, at milliseconds: Int, bad: Set<Int>) throws {
        let now = start + .milliseconds(milliseconds)
        for _ in 0..<calls {
            let pick = try balancer.pick(.any, at: now)
            let outcome: CallOutcome = bad.contains(pick.index) ? .failure : .success
            pick.complete(outcome, latency: .milliseconds(1), at: now)
        }
    }

    func ids(_ positions: [Int]) -> [InstanceID] { positions.map { list[$0].id } }
}

@Suite struct PanicTests {
    @Test func belowTheThresholdUnhealthyInstancesAreTakenTooButNeverMaintainedOnes() throws {
        var scene = Scene(weights: [1, 1, 1, 1, 0]) { _ in }
        for index in 0..<2 { scene.list[index].health = .critical }
        scene.update(at: 1)
        #expect(try scene.counts(100, at: 1) == [0, 0, 50, 50, 0])
        #expect(!scene.balancer.status.isPanicking)
        scene.list[2].health = .critical
        scene.update(at: 2)
        #expect(scene.balancer.status.isPanicking)
        #expect(try scene.counts(100, at: 2) == [25, 25, 25, 25, 0])
        scene.list[1].health = .maintenance
        scene.update(at: 3)
        #expect(try scene.counts(99, at: 3) == [33, 0, 33, 33, 0])
    }

    @Test func aThresholdOfZeroTurnsItOff() throws {
        var scene = Scene(weights: [1, 1, 1]) { $0.panicThreshold = 0 }
        scene.list[0].health = .critical
        scene.list[1].health = .critical
        scene.update(at: 1)
        #expect(try scene.counts(10, at: 1) == [0, 0, 10])
        scene.list[2].health = .critical
        scene.update(at: 2)
        #expect(throws: BalancingError(code: .noInstances)) { _ = try scene.balancer.pick() }
    }

    @Test func whenAllAreInMaintenanceThereIsNone() {
        var scene = Scene(weights: [1, 1]) { _ in }
        for index in 0..<2 { scene.list[index].health = .maintenance }
        scene.update(at: 1)
        #expect(throws: BalancingError(code: .noInstances)) { _ = try scene.balancer.pick() }
        #expect(!scene.balancer.status.isPanicking)
    }
}

@Suite struct SlowStartTests {
    @Test func aNewInstanceTakesUpItsShareLinearly() throws {
        var scene = Scene(weights: [1, 1, 1]) { $0.slowStart = SlowStart(window: .seconds(10)) }
        scene.list.append(contentsOf: instances(weights: [1, 1, 1, 1]).suffix(1))
        scene.update(at: 1000)
        for (moment, share) in [(1000, 0.1), (3500, 0.25), (6000, 0.5), (8500, 0.75), (11_000, 1)] {
            let counts = try scene.counts(20_000, at: moment)
            let due = 20_000 * share / (3 + share)
            #expect(abs(Double(counts[3]) - due) < 20_000 * 0.01, "at \(moment): \(counts)")
        }
        #expect(!scene.balancer.status.isWarming)
    }

    @Test func everyPolicyHonoursIt() throws {
        for policy in [
            BalancingPolicy.roundRobin, .weightedRoundRobin, .smoothWeightedRoundRobin, .random,
            .weightedRandom, .leastRequest(),
        ] {
            var scene = Scene(policy, weights: [10, 10]) {
                $0.slowStart = SlowStart(window: .seconds(10))
            }
            scene.list.append(contentsOf: instances(weights: [10, 10, 10]).suffix(1))
            scene.update(at: 0)
            let counts = try scene.counts(10_000, at: 0)
            #expect(abs(Double(counts[2]) / 10_000 - 0.1 / 2.1) < 0.01, "\(policy): \(counts)")
        }
    }

    @Test func theFirstListIsWarm() throws {
        let scene = Scene(weights: [1, 1]) { $0.slowStart = SlowStart(window: .seconds(10)) }
        #expect(!scene.balancer.status.isWarming)
        #expect(try scene.counts(10, at: 0) == [5, 5])
    }

    @Test func anInstanceThatBecameHealthyAgainWarmsUp() throws {
        var scene = Scene(weights: [1, 1, 1]) { $0.slowStart = SlowStart(window: .seconds(10)) }
        scene.list[0].health = .critical
        scene.update(at: 1000)
        scene.list[0].health = .passing
        scene.update(at: 2000)
        let counts = try scene.counts(2100, at: 2000)
        #expect(counts[0] < 150, "\(counts)")
        #expect(scene.balancer.status.isWarming)
    }

    @Test func aggressionGivesMoreEarly() {
        var settings = SlowStart(window: .seconds(10))
        let half = Ticks.of(.seconds(5))
        #expect(abs(settings.share(after: half) - 0.5) < 0.001)
        settings.aggression = 2
        #expect(abs(settings.share(after: half) - 0.5.squareRoot()) < 0.001)
        settings.aggression = 0.5
        #expect(abs(settings.share(after: half) - 0.25) < 0.001)
        #expect(settings.share(after: -5) == 0.1)
        #expect(settings.share(after: Ticks.of(.seconds(10))) == 1)
        #expect(SlowStart(window: .zero).share(after: 0) == 1)
    }

    @Test func aReviewOnATimerWarmsUpWithoutPicks() {
        var scene = Scene(weights: [1, 1]) { $0.slowStart = SlowStart(window: .seconds(10)) }
        scene.list.append(contentsOf: instances(weights: [1, 1, 1]).suffix(1))
        scene.update(at: 0)
        var now = scene.start
        var reviews = 0
        while let next = scene.balancer.review(at: now), reviews < 100 {
            #expect(next > now)
            now = next
            reviews += 1
        }
        #expect(reviews <= 21)
        #expect(!scene.balancer.status.isWarming)
    }
}

@Suite struct ZoneTests {
    private func shares(_ zones: [String?], weights: [UInt32]? = nil) throws -> [Double] {
        var scene = Scene(
            .weightedRandom,
            weights: weights ?? [UInt32](repeating: 1, count: zones.count)
        ) { $0.zone = "a" }
        for index in zones.indices { scene.list[index].zone = zones[index] }
        scene.update(at: 0)
        return try scene.counts(40_000, at: 0).map { Double($0) / 40_000 }
    }

    @Test func aZoneWithItsPartOfTheCapacityKeepsItsCalls() throws {
        let shares = try shares(["a", "a", "b", "b"])
        #expect(shares[2] == 0 && shares[3] == 0, "\(shares)")
        #expect(try self.shares(["a", "a", "a", "b"])[3] == 0)
    }

    @Test func aSmallZoneSpillsOverWhatItCannotCarry() throws {
        // A half of the calls start in each zone; zone a has a quarter of the capacity: half of its
        // calls stay, so that its one instance carries as much as each of the three others.
        let shares = try shares(["a", "b", "b", "b"])
        #expect(abs(shares[0] - 0.5) < 0.02, "\(shares)")
        for share in shares.dropFirst() { #expect(abs(share - 1.0 / 6) < 0.02, "\(shares)") }
    }

    @Test func spillGoesToZonesWithMoreThanTheirPart() throws {
        // Parts of 3 each: a lacks 2, b has exactly its part, c has 2 to spare.
        let shares = try shares(
            ["a"] + [String](repeating: "b", count: 3) + ["c", "c", "c", "c", "c"]
        )
        #expect(abs(shares[0] - 1.0 / 3) < 0.02, "\(shares)")
        #expect(shares[1...3].allSatisfy { $0 == 0 }, "\(shares)")
        #expect(abs(shares[4...].reduce(0, +) - 2.0 / 3) < 0.02, "\(shares)")
    }

    @Test func everyInstanceOfAllZonesCarriesTheSameTogether() {
        // What the arithmetic promises: clients spread evenly over zones load capacity evenly,
        // wherever no zone but the client's own has to take more than it spares.
        for zones: [String?] in [["a", "b", "b", "b"], ["a", "a", "b", "b", "b", "c"]] {
            var load = [Double](repeating: 0, count: zones.count)
            let weights = [UInt32](repeating: 1, count: zones.count)
            let names = Set(zones)
            for own in names {
                guard let own else { continue }
                let factors = ZonePreference.factors(own: own, zones: zones, weights: weights)
                let sum = factors.reduce(0, +)
                for (position, factor) in factors.enumerated() {
                    load[position] += factor / sum / Double(names.count)
                }
            }
            let mean = 1 / Double(zones.count)
            #expect(load.allSatisfy { abs($0 - mean) < 0.001 }, "\(zones): \(load)")
        }
    }

    @Test func anEmptyZoneAndInstancesWithoutZoneTakeWhatComes() throws {
        #expect(try shares(["b", "b"]).allSatisfy { abs($0 - 0.5) < 0.02 })
        let shares = try shares([nil, "a"])
        #expect(shares == [0, 1])
    }

    @Test func unhealthyLocalInstancesAreNoCapacity() throws {
        var scene = Scene(weights: [1, 1, 1, 1]) { $0.zone = "a" }
        for (index, zone) in ["a", "a", "b", "b"].enumerated() { scene.list[index].zone = zone }
        scene.list[0].health = .critical
        scene.update(at: 0)
        let counts = try scene.counts(9000, at: 0)
        #expect(counts[0] == 0)
        #expect(abs(counts[1] - 6000) < 200, "\(counts)")
    }
}

@Suite struct SubsetTests {
    private let hashes = instances(weights: [UInt32](repeating: 1, count: 100)).map {
        StableHash.of($0.id)
    }

    @Test func aClientUsesItsFewAndAlwaysTheSame() throws {
        let scene = Scene(weights: [UInt32](repeating: 1, count: 100)) {
            $0.subset = .rendezvous(size: 7, client: "client-1")
        }
        let counts = try scene.counts(700, at: 0)
        #expect(counts.filter { $0 == 100 }.count == 7)
        let subset = Subset.rendezvous(size: 7, client: "client-1")
        #expect(subset.choose(hashes) == subset.choose(hashes))
        #expect(subset.choose(hashes) != Subset.rendezvous(size: 7, client: "b").choose(hashes))
    }

    @Test func anInstanceThatGoesIsReplacedByOne() {
        let subset = Subset.rendezvous(size: 10, client: "x")
        let before = subset.choose(hashes).map { hashes[$0] }
        var fewer = hashes
        fewer.removeAll { $0 == before[3] }
        let after = subset.choose(fewer).map { fewer[$0] }
        #expect(Set(before).subtracting(after) == [before[3]])
        #expect(after.count == 10)
    }

    @Test func dealtSubsetsGiveEveryInstanceTheSameNumberOfClients() {
        // 100 instances, 10 each: every ten clients use each instance exactly once.
        var counts = [Int](repeating: 0, count: 100)
        for client in 0..<50 {
            let chosen = Subset.rounds(size: 10, clientNumber: client).choose(hashes)
            #expect(Set(chosen).count == 10)
            for position in chosen { counts[position] += 1 }
        }
        #expect(counts == [Int](repeating: 5, count: 100))
        // Not a multiple: nobody is left out, and nobody has many more.
        counts = [Int](repeating: 0, count: 100)
        for client in 0..<300 {
            for position in Subset.rounds(size: 7, clientNumber: client).choose(hashes) {
                counts[position] += 1
            }
        }
        #expect(counts.allSatisfy { (18...24).contains($0) }, "\(counts)")
    }

    @Test func largerThanTheListIsTheList() {
        for subset in [
            Subset.rendezvous(size: 1000, client: ""), .rounds(size: .max, clientNumber: .max),
        ] {
            #expect(subset.choose(hashes) == Array(0..<100))
            #expect(subset.choose([]).isEmpty)
        }
        #expect(Subset.rounds(size: 99, clientNumber: .max).choose(hashes).count == 99)
    }
}

@Suite struct OutlierTests {
    private func scene(
        _ count: Int,
        _ change: (inout OutlierDetection) -> Void = { _ in },
        slowStart: SlowStart? = nil
    ) -> Scene {
        var outliers = OutlierDetection()
        change(&outliers)
        return Scene(weights: [UInt32](repeating: 1, count: count)) {
            $0.outliers = outliers
            $0.slowStart = slowStart
        }
    }

    @Test func failuresInARowEjectAndTheTimeGrowsWithEachEjection() throws {
        let scene = scene(10)
        try scene.call(50, at: 0, bad: [3])
        #expect(scene.balancer.status.ejected == scene.ids([3]))
        #expect(try scene.counts(90, at: 1)[3] == 0)
        // After 30 s one call decides; it fails: 60 s more.
        try scene.call(50, at: 30_000, bad: [3])
        #expect(scene.balancer.status.ejected == scene.ids([3]))
        #expect(try scene.counts(90, at: 89_000)[3] == 0)
        // The next one succeeds: it is back.
        try scene.call(1, at: 90_001, bad: [])
        _ = try scene.counts(1, at: 90_002)
        #expect(scene.balancer.status.ejected == [])
        #expect(try scene.counts(100, at: 90_003)[3] == 10)
    }

    @Test func onProbationExactlyOneCallIsSent() throws {
        let scene = scene(10)
        try scene.call(50, at: 0, bad: [3])
        var held = Held()
        for _ in 0..<100 {
            held.hold(try scene.balancer.pick(.any, at: scene.start + .seconds(31)))
        }
        #expect(held.counts(instances: 10)[3] == 1)
        #expect(scene.balancer.status.onProbation == scene.ids([3]))
        // Given up: it says nothing, and another call may decide.
        held.release()
        let probe = try scene.balancer.pick(.any, at: scene.start + .seconds(32))
        let (index, isProbe) = (probe.index, probe.isProbe)
        #expect(index == 3)
        #expect(isProbe)
        // A call that is repeated elsewhere is not risked on it.
        probe.complete(.cancelled)
        let other = PickRequest(avoiding: scene.list[0].endpoint)
        #expect(try scene.balancer.pick(other, at: scene.start + .seconds(32)).index != 3)
    }

    @Test func withoutProbesTheTimeAloneBringsItBack() throws {
        let scene = scene(10) { $0.return = .immediate }
        try scene.call(50, at: 0, bad: [3])
        #expect(try scene.counts(90, at: 29_999)[3] == 0)
        #expect(try scene.counts(100, at: 30_001)[3] == 10)
    }

    @Test func aReturnedInstanceWarmsUp() throws {
        let scene = scene(
            10,
            { $0.return = .immediate },
            slowStart: SlowStart(window: .seconds(20))
        )
        try scene.call(50, at: 0, bad: [3])
        let counts = try scene.counts(9100, at: 30_001)
        #expect(abs(counts[3] - 100) < 20, "\(counts)")
        #expect(scene.balancer.status.isWarming)
    }

    @Test(arguments: [(1, 0.1, 0), (2, 0.1, 1), (3, 1, 2), (10, 0.1, 1), (20, 0.1, 2), (30, 1, 29)])
    func theCapIsKeptAndTheLastIsNeverEjected(_ count: Int, _ share: Double, _ cap: Int) throws {
        let scene = scene(count) { $0.largestShare = share }
        for round in 0..<20 {
            try scene.call(count * 10, at: round, bad: Set(0..<count))
            #expect(scene.balancer.status.ejected.count <= cap)
            #expect(!scene.balancer.status.eligible.isEmpty)
        }
        #expect(scene.balancer.status.ejected.count == cap)
    }

    @Test func whenOnlyEjectedOnesAreLeftTheyAreTaken() throws {
        var scene = scene(10)
        try scene.call(50, at: 0, bad: [3])
        _ = try scene.counts(1, at: 1)
        scene.list = [scene.list[3]]
        scene.update(at: 2)
        #expect(scene.balancer.status.isPanicking)
        #expect(try scene.counts(5, at: 2) == [5])
    }

    @Test func anEjectionOutlivesSnapshots() throws {
        var scene = scene(10)
        try scene.call(50, at: 0, bad: [3])
        scene.list.remove(at: 0)
        scene.update(at: 5)
        #expect(try scene.counts(90, at: 6)[2] == 0)
        // Gone and come back, it is another instance for all we know.
        let ejected = scene.list.remove(at: 2)
        scene.update(at: 7)
        scene.list.insert(ejected, at: 2)
        scene.update(at: 8)
        #expect(try scene.counts(90, at: 9)[2] == 10)
    }

    @Test func manyEjectedOnesAreAPanic() throws {
        let scene = scene(4) { $0.largestShare = 1 }
        try scene.call(80, at: 0, bad: [0, 1, 2])
        _ = try scene.counts(1, at: 1)
        #expect(scene.balancer.status.ejected.count == 3)
        #expect(scene.balancer.status.isPanicking)
        #expect(try scene.counts(100, at: 2).allSatisfy { $0 > 0 })
    }

    @Test func aReviewEjectsWhoFailsTooOftenOrMuchMoreThanTheOthers() throws {
        let detection = OutlierDetection()
        func counts(_ successes: [UInt64]) -> [CallCounts] {
            successes.map { CallCounts(successes: $0, failures: 100 - $0) }
        }
        #expect(detection.outliers(counts([100, 100, 10, 100])) == [2])
        #expect(detection.outliers(counts([99, 98, 99, 97, 98, 99, 70, 99])) == [6])
        #expect(detection.outliers(counts([99, 98, 97, 96, 95])) == [])
        // Too few instances to compare, too few calls to judge.
        #expect(detection.outliers(counts([99, 99, 70, 99])) == [])
        let few = [CallCounts(successes: 0, failures: 49)]
        #expect(detection.outliers(few) == [])
        #expect(detection.outliers([]) == [])
        // All alike: nobody stands out, however bad.
        #expect(detection.outliers(counts([50, 50, 50, 50, 50])) == [])
        // The worst comes first.
        #expect(detection.outliers(counts([5, 100, 0, 10])) == [2, 0, 3])
    }

    @Test func aReviewIsMadeWhenItIsDue() throws {
        let scene = scene(10) {
            $0.consecutiveFailures = nil
            $0.failureShare = 0.4
        }
        for round in 0..<200 {
            for _ in 0..<10 {
                let pick = try scene.balancer.pick(.any, at: scene.start + .milliseconds(round))
                let isBad = pick.index == 5 && round % 2 == 0
                pick.complete(isBad ? .failure : .success)
            }
        }
        #expect(scene.balancer.status.ejected == [])
        let next = scene.balancer.review(at: scene.start + .seconds(10))
        #expect(scene.balancer.status.ejected == scene.ids([5]))
        #expect(next == nil || next.map { $0 > scene.start + .seconds(10) } == true)
    }

    @Test func cancelledCallsAreNeutral() throws {
        let scene = scene(3)
        for number in 0..<100 {
            let pick = try scene.balancer.pick(.any, at: scene.start + .milliseconds(number))
            pick.complete(.cancelled)
        }
        #expect(scene.balancer.status.ejected == [])
        #expect(scene.balancer.status.inFlight == 0)
    }

    @Test func aClockThatJumpsBackChangesNothing() throws {
        let scene = scene(10)
        try scene.call(50, at: 3_600_000, bad: [3])
        try scene.call(50, at: -3_600_000, bad: [])
        #expect(scene.balancer.status.ejected == scene.ids([3]))
        try scene.call(100, at: 3_600_000 + 31_000, bad: [])
        _ = try scene.counts(1, at: 3_600_000 + 31_001)
        #expect(scene.balancer.status.ejected == [])
    }
}
