import Model
import Raft
import Simulation
import Testing

/// The smoke set: enough seeds to notice a broken core, few enough to run with every build.
struct SimulationTests {
    @Test(arguments: [1, 21, 41, 61, 81] as [UInt64])
    func noSeedBreaksASafetyOrALivenessProperty(first: UInt64) {
        for seed in first..<(first + 20) {
            let violation = Simulation(.random(seed: seed)).run()
            #expect(violation == nil, "\(violation?.description ?? "")")
        }
    }

    @Test(arguments: [1, 11, 21, 31] as [UInt64])
    func noSeedBreaksAWholeServer(first: UInt64) {
        for seed in first..<(first + 10) {
            let violation = Simulation(.whole(seed: seed)).run()
            #expect(violation == nil, "\(violation?.description ?? "")")
        }
    }

    @Test func whatCanHappenToWholeServersDoes() {
        var counts = WholeCounts()
        var answered = 0
        for seed in 1...12 as ClosedRange<UInt64> {
            let simulation = Simulation(BugClass.worn(seed))
            let violation = simulation.run()
            #expect(violation == nil, "\(violation?.description ?? "")")
            counts += simulation.wholeCounts
            answered += simulation.answeredCount
        }
        #expect(counts.replaced > 3)
        #expect(counts.diskFailures > 1)
        #expect(counts.duplicates > 2)
        #expect(answered > 200)
    }

    @Test func theSameSeedRunsTheSameWay() {
        for options in [.random(seed: 7), .random(seed: 8), .whole(seed: 9)]
            as [SimulationOptions]
        {
            let first = Simulation(options)
            let second = Simulation(options)
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
