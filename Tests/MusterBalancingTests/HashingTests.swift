import MusterBalancing
import Testing

@Suite struct HashingTests {
    static let policies: [BalancingPolicy] = [
        .consistentHash(.ring()), .consistentHash(.maglev()), .sticky,
    ]

    @Test(arguments: policies)
    func aKeyGoesToTheSameInstanceFromEveryClient(_ policy: BalancingPolicy) throws {
        let list = instances(weights: [UInt32](repeating: 1, count: 20))
        let first = balancer(policy, weights: [], seed: 1)
        let second = balancer(policy, weights: [], seed: 2)
        first.update(snapshot(list))
        second.update(snapshot(list.reversed()))
        let keys = keys(500)
        #expect(try first.positions(of: keys) == second.positions(of: keys))
        #expect(Set(try first.positions(of: keys)).count == 20)
    }

    /// The largest share of keys that may move beside those of the instance that goes.
    static func tolerance(_ policy: BalancingPolicy) -> Double {
        // Rendezvous and rings move none; Maglev moves few (figures: §5.3 of its paper).
        policy == .consistentHash(.maglev()) ? 0.02 : 0
    }

    @Test(arguments: policies)
    func onlyTheKeysOfAnInstanceThatGoesMove(_ policy: BalancingPolicy) throws {
        let list = instances(weights: [UInt32](repeating: 1, count: 50))
        let balancer = balancer(policy, weights: [])
        let keys = keys(20_000)
        balancer.update(snapshot(list))
        let before = try balancer.positions(of: keys)
        for gone in [0, 17, 49] {
            balancer.update(snapshot(list.filter { $0.id != list[gone].id }))
            let after = try balancer.positions(of: keys)
            #expect(!after.contains(list[gone].id))
            let others = zip(before, after).filter { was, _ in was != list[gone].id }
            let moved = others.filter { $0 != $1 }.count
            #expect(Double(moved) / 20_000 <= Self.tolerance(policy), "\(moved) of 20,000 moved")
        }
        // When the instance returns, so do its keys.
        balancer.update(snapshot(list))
        #expect(try balancer.positions(of: keys) == before)
    }

    @Test(arguments: policies)
    func anInstanceThatComesTakesItsShareAndLittleElseMoves(_ policy: BalancingPolicy) throws {
        let list = instances(weights: [UInt32](repeating: 1, count: 51))
        let balancer = balancer(policy, weights: [])
        let keys = keys(20_000)
        balancer.update(snapshot(Array(list.dropLast())))
        let before = try balancer.positions(of: keys)
        balancer.update(snapshot(list))
        let after = try balancer.positions(of: keys)
        let moved = zip(before, after).filter { $0 != $1 }.count
        let elsewhere = zip(before, after).filter { $0 != $1 && $1 != list[50].id }.count
        #expect(Double(moved) / 20_000 < 2.5 / 51, "\(moved) moved")
        #expect(Double(elsewhere) / 20_000 <= Self.tolerance(policy), "\(elsewhere) elsewhere")
    }

    @Test(arguments: [
        (BalancingPolicy.consistentHash(.ring(minimum: 4096, maximum: 4096)), 0.45),
        (.consistentHash(.maglev()), 0.09), (.sticky, 0.09),
    ])
    func sharesOfKeysFollowTheWeights(_ policy: BalancingPolicy, _ tolerance: Double) throws {
        let weights: [UInt32] = [1, 2, 3, 4, 10]
        let balancer = balancer(policy, weights: weights)
        let owners = try balancer.positions(of: keys(50_000))
        for (position, instance) in instances(weights: weights).enumerated() {
            let share = Double(owners.filter { $0 == instance.id }.count) / 50_000
            let due = Double(weights[position]) / 20
            #expect(abs(share - due) < due * tolerance, "weight \(weights[position]): \(share)")
        }
    }

    @Test(arguments: policies)
    func aChangedWeightMovesFewKeys(_ policy: BalancingPolicy) throws {
        var list = instances(weights: [UInt32](repeating: 10, count: 20))
        let balancer = balancer(policy, weights: [])
        let keys = keys(10_000)
        balancer.update(snapshot(list))
        let before = try balancer.positions(of: keys)
        list[3].weight = 5
        balancer.update(snapshot(list))
        let moved = zip(before, try balancer.positions(of: keys)).filter { $0 != $1 }.count
        // Half of a twentieth goes; a ring whose scale follows the lightest doubles its places.
        let isRing = policy == .consistentHash(.ring())
        #expect(moved < (isRing ? 5_000 : 1_000), "\(moved) of 10,000")
        #expect(moved > 50)
    }

    @Test(arguments: policies)
    func keysOfAnAvoidedInstanceHaveOneSecondChoice(_ policy: BalancingPolicy) throws {
        let balancer = balancer(policy, weights: [UInt32](repeating: 1, count: 10))
        for key in keys(50) {
            let first = try balancer.pick(PickRequest(hash: key)).endpoint
            let request = PickRequest(hash: key, avoiding: [first])
            let second = try balancer.pick(request).endpoint
            #expect(second != first)
            #expect(try balancer.pick(request).endpoint == second)
        }
    }

    @Test func requestsWithoutAKeyGoAnywhere() throws {
        for policy in Self.policies {
            let balancer = balancer(policy, weights: [UInt32](repeating: 1, count: 10))
            let counts = try balancer.counts(picks: 10_000, instances: 10)
            #expect(counts.allSatisfy { $0 > 300 }, "\(policy): \(counts)")
        }
    }

    @Test func aRemembredEndpointIsTakenWhileItTakesCalls() throws {
        for policy in [BalancingPolicy.roundRobin, .leastRequest(), .sticky] {
            let list = instances(weights: [1, 1, 1, 1, 1])
            let balancer = balancer(policy, weights: [])
            balancer.update(snapshot(list))
            let request = PickRequest(preferring: list[3].endpoint)
            for _ in 0..<10 {
                #expect(try balancer.pick(request).endpoint == list[3].endpoint)
            }
            balancer.update(snapshot(Array(list.prefix(3))))
            #expect(try balancer.pick(request).endpoint != list[3].endpoint)
        }
    }

    @Test func boundedLoadKeepsEveryInstanceBelowItsShareAndAQuarter() throws {
        for table in [HashTable.ring(), .maglev(), .rendezvous] {
            let policy = BalancingPolicy.consistentHash(table, boundedLoad: 1.25)
            let balancer = balancer(policy, weights: [1, 1, 1, 1, 2])
            var held = Held()
            // One hot key: without the bound all would go to one instance.
            for _ in 0..<600 {
                held.hold(try balancer.pick(PickRequest(key: "hot")))
            }
            let counts = held.counts(instances: 5)
            #expect(counts.prefix(4).allSatisfy { $0 <= 125 }, "\(counts)")
            #expect(counts[4] <= 250)
            #expect(counts.reduce(0, +) == 600)
            #expect(balancer.status.inFlight == 600)
            held.release()
            #expect(balancer.status.inFlight == 0)
        }
    }

    @Test func boundedLoadLeavesKeysAloneWhileThereIsRoom() throws {
        let plain = balancer(.consistentHash(), weights: [1, 1, 1, 1])
        let bounded = balancer(.consistentHash(boundedLoad: 1.25), weights: [1, 1, 1, 1])
        let keys = keys(200)
        #expect(try plain.positions(of: keys) == bounded.positions(of: keys))
    }

    @Test func absurdSizesAreClamped() throws {
        let tables: [HashTable] = [
            .ring(minimum: -5, maximum: 0), .ring(minimum: .max, maximum: .max), .maglev(size: -1),
            .maglev(size: 2),
        ]
        for table in tables {
            let balancer = balancer(.consistentHash(table), weights: [1, 3, 0, 7, 7])
            let owners = try balancer.positions(of: keys(100))
            #expect(Set(owners).count > 1)
        }
    }

    @Test func oneVeryHeavyInstanceDoesNotSilenceTheOthersOfAMaglevTable() throws {
        let weights = [1_000_000] + [UInt32](repeating: 20_000, count: 30)
        let balancer = balancer(.consistentHash(), weights: weights)
        let owners = try balancer.positions(of: keys(20_000))
        #expect(Set(owners).count == 31)
    }
}

/// Picks that are kept open, as calls in flight.
struct Held: ~Copyable {
    private final class Box {
        var pick: Pick?
        init(_ pick: consuming Pick) { self.pick = consume pick }
    }

    private var boxes: [Box] = []
    private var indices: [Int] = []

    init() {}

    mutating func hold(_ pick: consuming Pick) {
        indices.append(pick.index)
        boxes.append(Box(pick))
    }

    func counts(instances: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: instances)
        for index in indices { counts[index] += 1 }
        return counts
    }

    /// Lets go of the oldest.
    mutating func releaseFirst() {
        boxes.removeFirst()
        indices.removeFirst()
    }

    mutating func release() {
        boxes = []
        indices = []
    }
}
