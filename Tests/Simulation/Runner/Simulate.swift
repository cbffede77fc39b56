import Raft
import Simulation

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Runs many seeds of the simulation: `simulate [count] [first] [--whole] [--verbose]`.
///
/// With `--whole` whole servers: the production log on a disk of bytes and the production state
/// machine; without it the core alone, on an abstract disk.
///
/// Prints one line per failure and a summary; exits 1 when a seed failed. With `--bugs [limit]` it
/// switches on one known bug after the other and says within how many seeds each is caught; that
/// takes a debug build, as release builds cannot commit them.
@main
enum Simulate {
    static func main() {
        let words = CommandLine.arguments.dropFirst()
        let numbers = words.compactMap { UInt64($0) }
        if words.contains("--bugs") {
            catchBugs(limit: numbers.first ?? 300, only: numbers.count > 1 ? numbers[1] : nil)
            return
        }
        if words.contains("--innocent") {
            runInnocent(limit: numbers.first ?? 100, only: numbers.count > 1 ? numbers[1] : nil)
            return
        }
        if words.contains("--weather"), numbers.count > 1 {
            look(atWeatherOf: numbers[0], seed: numbers[1])
            return
        }
        let count = numbers.first ?? 1000
        let first = numbers.count > 1 ? numbers[1] : 1
        let isWhole = words.contains("--whole")
        let isVerbose = words.contains("--verbose")
        var failures = 0
        var whole = WholeCounts()
        var (steps, leaders, answered) = (0, 0, 0)
        for seed in first..<(first + count) {
            let simulation = Simulation(isWhole ? .whole(seed: seed) : .random(seed: seed))
            simulation.isVerbose = isVerbose
            if let violation = simulation.run() {
                failures += 1
                print(violation)
                fflush(nil)
            }
            steps += simulation.steps
            if (seed - first + 1).isMultiple(of: 500) {
                print("\(seed - first + 1) seeds, \(failures) failed")
                fflush(nil)
            }
            leaders += simulation.leaderCount
            answered += simulation.answeredCount
            whole += simulation.wholeCounts
        }
        print("\(count) seeds from \(first): \(failures) failed,", terminator: " ")
        print("\(steps) steps, \(leaders) leaders, \(answered) operations answered")
        if isWhole { print(whole) }
        if failures > 0 { fatalFailure() }
    }

    /// Tells what happens in one run of a bug's weather without the bug.
    private static func look(atWeatherOf number: UInt64, seed: UInt64) {
        guard let bug = BugClass.all.first(where: { UInt64($0.number) == number }) else { return }
        let simulation = Simulation(bug.innocentOptions(seed: seed))
        simulation.isVerbose = true
        print(simulation.run()?.description ?? "no violation")
    }

    /// The weather of the bugs without the bugs.
    private static func runInnocent(limit: UInt64, only number: UInt64?) {
        for bug in BugClass.all
        where bug.weather != nil && (number == nil || number == UInt64(bug.number)) {
            var whole = WholeCounts()
            for seed in 1...limit {
                let simulation = Simulation(bug.innocentOptions(seed: seed))
                let violation = simulation.run()
                whole += simulation.wholeCounts
                guard let violation else { continue }
                print("the weather of \(bug): \(violation)")
                fflush(nil)
            }
            if whole != WholeCounts() { print("the weather of \(bug): \(whole)") }
        }
    }

    private static func catchBugs(limit: UInt64, only number: UInt64?) {
        for bug in BugClass.all where number == nil || number == UInt64(bug.number) {
            if let (seed, violation) = bug.catchingSeed(limit: limit) {
                print("\(bug): caught by seed \(seed), \(violation)")
            } else {
                print("\(bug): not caught in \(limit) seeds")
            }
            fflush(nil)
        }
    }

    private static func fatalFailure() -> Never {
        exit(1)
    }
}
