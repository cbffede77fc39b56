@testable import MusterBalancing
import Testing

/// Static stride by itself, and the defects of others that it must not have.
@Suite struct StrideTests {
    /// The positions of `picks` turns, and how many words each pick read.
    private func run(
        _ weights: [UInt32],
        picks: Int,
        start: UInt64 = 0,
        tag: (Int) -> UInt64 = { _ in 1 }
    ) -> (positions: [Int], reads: [Int]) {
        let words = StaticStride.packed(weights)
        var sequence = start
        var positions: [Int] = []
        var reads: [Int] = []
        for number in 0..<picks {
            var read = 0
            let next = StaticStride.next(sequence, count: weights.count, tag: tag(number)) {
                read += 1
                return words[$0]
            }
            sequence = next.sequence
            positions.append(next.position)
            reads.append(read)
        }
        return (positions, reads)
    }

    @Test func noPickLooksAtMoreThanEveryInstanceOnceAndOneGroup() {
        // grpc-java#10366: rounding of the mean made the sequence loop far too often.
        var random = SeededRandom(seed: 8)
        for round in 0..<300 {
            let count = Int.random(in: 1...200, using: &random)
            let weights = (0..<count).map { _ -> UInt32 in
                let power = UInt32.random(in: 0...20, using: &random)
                return max(1, random.next() % 2 == 0 ? 1 << power : power)
            }
            let words = StaticStride.packed(weights).count
            let reads = run(weights, picks: 300, start: random.next()).reads
            #expect((reads.max() ?? 0) <= words + 4, "\(round): \(weights)")
        }
    }

    @Test func heavyInstancesAreNotFavouredByRebuilds() {
        // envoy#31378: a schedule that begins anew with every table begins with the heavy ones.
        let weights: [UInt32] = [10, 1, 1, 1, 1, 1, 1, 1, 1, 1]
        let picks = 20_000
        let positions = run(weights, picks: picks) { UInt64($0 + 1) }.positions
        let isSame = positions == run(weights, picks: picks).positions
        #expect(isSame, "another table, the same weights: the sequence goes on")
        let heavy = positions.filter { $0 == 0 }.count
        #expect(abs(Double(heavy) / Double(picks) - 10.0 / 19) < 0.01, "\(heavy)")
    }

    @Test func clientsThatStartTogetherDoNotAllBeginWithTheHeavyInstance() {
        let weights: [UInt32] = [3, 1, 1, 1, 1, 1, 1, 1]
        var firsts = [Int](repeating: 0, count: 8)
        var random = SeededRandom(seed: 2)
        for _ in 0..<2000 {
            firsts[run(weights, picks: 1, start: random.next()).positions[0]] += 1
        }
        #expect(Double(firsts[0]) / 2000 < 0.55, "\(firsts)")
        #expect(firsts.allSatisfy { $0 > 20 }, "\(firsts)")
    }

    @Test func everyRoundGivesTheHeaviestItsTurn() {
        for weights: [UInt32] in [[5, 1], [1, 1, 9, 1], [UInt32](repeating: 2, count: 40) + [3]] {
            let heaviest = weights.firstIndex(of: weights.max() ?? 0)
            let positions = run(weights, picks: 1000).positions
            let gaps = positions.split(whereSeparator: { $0 == heaviest }).map(\.count)
            #expect((gaps.max() ?? 0) < weights.count * 2)
        }
    }

    @Test func sharesAreExactToAThousandthOverManyRounds() {
        var random = SeededRandom(seed: 21)
        for _ in 0..<20 {
            let count = Int.random(in: 2...50, using: &random)
            let weights = (0..<count).map { _ in UInt32.random(in: 1...1000, using: &random) }
            var counts = [Int](repeating: 0, count: count)
            for position in run(weights, picks: 200_000, start: random.next()).positions {
                counts[position] += 1
            }
            let total = Double(weights.reduce(0, +))
            for (position, weight) in weights.enumerated() {
                let share = Double(counts[position]) / 200_000
                #expect(abs(share - Double(weight) / total) < 0.001, "\(weights)")
            }
        }
    }

    @Test func weightsBelowAPartIn65535CountAsThatPart() {
        let counts = run([1_048_576, 1], picks: 200_000).positions.filter { $0 == 1 }.count
        #expect(counts >= 2 && counts <= 5, "\(counts)")
    }

    @Test func drainedInstancesAreNeverGivenAStaleTurn() throws {
        // The turns decided from the old table must not leak into the new one.
        let balancer = balancer(.weightedRoundRobin, weights: [])
        var random = SeededRandom(seed: 4)
        for generation in 1...300 {
            var list = instances(weights: (0..<20).map { _ in UInt32(random.next() % 4) })
            list[0].weight = 3
            balancer.update(snapshot(list, generation: UInt64(generation)))
            for _ in 0..<5 {
                let index = try balancer.pick().index
                #expect(list[index].weight > 0)
            }
        }
    }
}

@Suite struct ApproximationTests {
    @Test func powersOfTwoAreWithinAPartIn5000() {
        // Checked by the law that defines them: halves multiply, and squares of roots give back.
        for step in 0...4000 {
            let exponent = Double(step) / 200
            let whole = exponent.rounded(.down)
            let root = Approximation.halved((exponent - whole) / 2)
            let expected = root * root * Double(sign: .plus, exponent: -Int(whole), significand: 1)
            let value = Approximation.halved(exponent)
            #expect(abs(value / expected - 1) < 2e-4, "\(exponent)")
        }
        #expect(Approximation.halved(1) == 0.5)
        #expect(Approximation.halved(-3) == 1)
        #expect(Approximation.halved(1e9) == 0)
        #expect(Approximation.halved(.nan) == 1)
    }

    @Test func logarithmsAddUp() {
        for step in 1...2000 {
            let value = Double(step) * 0.37
            let square = Approximation.logarithm(value * value)
            #expect(abs(square - 2 * Approximation.logarithm(value)) < 1e-6, "\(value)")
        }
        for power in -60...60 {
            let value = Double(sign: .plus, exponent: power, significand: 1)
            #expect(Approximation.logarithm(value) == Double(power))
        }
        #expect(abs(Approximation.logarithm(10) - 3.321_928_094_887_362) < 1e-6)
    }

    @Test func theAliasTableMeetsAChiSquareTest() throws {
        var random = SeededRandom(seed: 12)
        for round in 0..<10 {
            let count = Int.random(in: 2...60, using: &random)
            let weights = (0..<count).map { _ in UInt32.random(in: 1...50, using: &random) }
            let shares = weights.map(Double.init)
            let weighted = try balancer(.weightedRandom, weights: weights, seed: UInt64(round))
                .counts(picks: 100_000, instances: count)
            #expect(chiSquare(weighted, shares: shares) < chiSquareBound(count), "\(weights)")
            let even = try balancer(.random, weights: weights, seed: UInt64(round))
                .counts(picks: 100_000, instances: count)
            #expect(chiSquare(even, shares: shares.map { _ in 1 }) < chiSquareBound(count))
        }
    }
}
