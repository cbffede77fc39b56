import MusterBalancing
import Testing

@Suite struct FairnessTests {
    @Test func roundRobinGivesEachInstanceTheSameShare() throws {
        for count in [1, 2, 3, 7, 100] {
            let weights = [UInt32](repeating: 1, count: count)
            let counts = try balancer(.roundRobin, weights: weights)
                .counts(picks: count * 50, instances: count)
            #expect(counts == [Int](repeating: 50, count: count))
        }
    }

    @Test func roundRobinNeverRepeatsAnInstanceWithinACycle() throws {
        let balancer = balancer(.roundRobin, weights: [1, 1, 1, 1, 1])
        var last = try balancer.pick().index
        for _ in 0..<100 {
            let next = try balancer.pick().index
            #expect(next == (last + 1) % 5)
            last = next
        }
    }

    @Test(arguments: [
        [1, 1, 1], [5, 1, 1], [10, 20, 30, 40], [1, 1000], [7], [3, 9, 27, 81, 243],
    ])
    func smoothWeightedRoundRobinIsExactOverACycle(_ weights: [UInt32]) throws {
        let cycle = SmoothCycle(weights).length
        let counts = try balancer(.smoothWeightedRoundRobin, weights: weights)
            .counts(picks: cycle * 3, instances: weights.count)
        let total = Int(weights.reduce(0, +))
        #expect(counts == weights.map { Int($0) * cycle * 3 / total })
    }

    @Test func smoothWeightedRoundRobinSpreadsTheTurnsOfAHeavyInstance() throws {
        let balancer = balancer(.smoothWeightedRoundRobin, weights: [5, 1, 1])
        var picks: [Int] = []
        for _ in 0..<14 { picks.append(try balancer.pick().index) }
        // a a b a c a a, from wherever the random start lies.
        let cycle = "0010200"
        let rotations = (0..<7).map { String((cycle + cycle).dropFirst($0).prefix(7)) }
        #expect(rotations.contains(picks.prefix(7).map(String.init).joined()), "\(picks)")
        #expect(Array(picks.prefix(7)) == Array(picks.suffix(7)))
    }

    @Test func staticStrideKeepsSharesWithinOnePercentOf65535Picks() throws {
        for weights: [UInt32] in [[1, 2, 3], [10, 10, 10, 1], [100, 1], [5, 50, 500, 250]] {
            let picks = 65_535
            let counts = try balancer(.weightedRoundRobin, weights: weights)
                .counts(picks: picks, instances: weights.count)
            let total = Double(weights.reduce(0, +))
            for (count, weight) in zip(counts, weights) {
                let share = Double(count) / Double(picks)
                #expect(abs(share - Double(weight) / total) < 0.01, "\(weights): \(counts)")
            }
        }
    }

    @Test func randomPoliciesComeCloseToTheirShares() throws {
        let weights: [UInt32] = [1, 2, 3, 10, 4]
        let picks = 200_000
        let even = try balancer(.random, weights: weights).counts(picks: picks, instances: 5)
        for count in even { #expect(abs(Double(count) / Double(picks) - 0.2) < 0.01) }
        let weighted = try balancer(.weightedRandom, weights: weights)
            .counts(picks: picks, instances: 5)
        for (count, weight) in zip(weighted, weights) {
            #expect(abs(Double(count) / Double(picks) - Double(weight) / 20) < 0.01)
        }
    }

    @Test func sharesHoldForRandomWeights() throws {
        var random = SeededRandom(seed: 42)
        for round in 0..<20 {
            let count = Int.random(in: 1...40, using: &random)
            let weights = (0..<count).map { _ in UInt32.random(in: 1...100, using: &random) }
            let total = Double(weights.reduce(0, +))
            for policy in [
                BalancingPolicy.smoothWeightedRoundRobin, .weightedRoundRobin, .weightedRandom,
            ] {
                let picks = 100_000
                let counts = try balancer(policy, weights: weights, seed: UInt64(round))
                    .counts(picks: picks, instances: count)
                for (position, weight) in weights.enumerated() {
                    let share = Double(counts[position]) / Double(picks)
                    #expect(abs(share - Double(weight) / total) < 0.01, "\(policy) \(weights)")
                }
            }
        }
    }

    @Test func theSameSeedGivesTheSamePicks() throws {
        for policy in [BalancingPolicy.random, .weightedRandom, .roundRobin] {
            let first = balancer(policy, weights: [1, 2, 3], seed: 9)
            let second = balancer(policy, weights: [1, 2, 3], seed: 9)
            for _ in 0..<100 { #expect(try first.pick().index == second.pick().index) }
        }
    }

    @Test func enormousWeightsStillGiveAnAffordableSchedule() throws {
        let weights: [UInt32] = [1_048_576, 1_048_575, 1]
        let counts = try balancer(.smoothWeightedRoundRobin, weights: weights)
            .counts(picks: 100_000, instances: 3)
        #expect(abs(counts[0] - counts[1]) < 200)
        #expect(counts[2] > 0)
    }
}

/// The length of a smooth weighted cycle: the sum of the weights over their common divisor.
private struct SmoothCycle {
    let length: Int

    init(_ weights: [UInt32]) {
        var divisor: UInt32 = 0
        for weight in weights {
            var (first, second) = (divisor, weight)
            while second != 0 { (first, second) = (second, first % second) }
            divisor = first
        }
        length = Int(weights.reduce(0, +) / divisor)
    }
}
