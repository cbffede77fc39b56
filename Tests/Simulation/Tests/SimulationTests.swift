import Model
import Raft
import Simulation
import Testing

/// The smoke set: enough seeds to notice a broken core, few enough to run with every build.
struct SimulationTests {
    @Test(arguments: [1, 41, 81, 121, 161] as [UInt64])
    func noSeedBreaksASafetyOrALivenessProperty(first: UInt64) {
        for seed in first..<(first + 40) {
            let violation = Simulation(.random(seed: seed)).run()
            #expect(violation == nil, "\(violation?.description ?? "")")
        }
    }

    @Test func theSameSeedRunsTheSameWay() {
        for seed in [7, 8] as [UInt64] {
            let first = Simulation(.random(seed: seed))
            let second = Simulation(.random(seed: seed))
            _ = first.run()
            _ = second.run()
            #expect(first.trace == second.trace)
            #expect(first.steps == second.steps)
        }
        let other = Simulation(.random(seed: 9))
        _ = other.run()
        let first = Simulation(.random(seed: 7))
        _ = first.run()
        #expect(first.trace != other.trace)
    }

    @Test func theFaultsDoHappenAndClientsAreServedThroughThem() {
        var (leaders, answered) = (0, 0)
        for seed in 1...10 as ClosedRange<UInt64> {
            let simulation = Simulation(.random(seed: seed))
            _ = simulation.run()
            leaders += simulation.leaderCount
            answered += simulation.answeredCount
        }
        #expect(leaders > 15)
        #expect(answered > 1000)
    }
}
