import Glibc
import Raft
import Simulation

/// Runs many seeds of the simulation: `simulate [count] [first] [--verbose]`.
///
/// Prints one line per failure and a summary; exits 1 when a seed failed.
@main
enum Simulate {
    static func main() {
        let words = CommandLine.arguments.dropFirst()
        let numbers = words.compactMap { UInt64($0) }
        let count = numbers.first ?? 1000
        let first = numbers.count > 1 ? numbers[1] : 1
        let isVerbose = words.contains("--verbose")
        var failures = 0
        var (steps, leaders, answered) = (0, 0, 0)
        for seed in first..<(first + count) {
            let simulation = Simulation(.random(seed: seed))
            simulation.isVerbose = isVerbose
            if let violation = simulation.run() {
                failures += 1
                print(violation)
            }
            steps += simulation.steps
            leaders += simulation.leaderCount
            answered += simulation.answeredCount
        }
        print("\(count) seeds from \(first): \(failures) failed,", terminator: " ")
        print("\(steps) steps, \(leaders) leaders, \(answered) operations answered")
        if failures > 0 { fatalFailure() }
    }

    private static func fatalFailure() -> Never {
        exit(1)
    }
}
