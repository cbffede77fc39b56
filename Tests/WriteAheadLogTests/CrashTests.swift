import Model
import Raft
import StorageSimulation
import Testing
import WriteAheadLog

/// A run of random changes against a disk, and what must be there afterwards.
struct CrashRun {
    let disk = SimulatedStorage()
    /// What was acknowledged.
    var acknowledged = LogModel()
    /// What may be there as well: the steps of the batch that was under way.
    var possible: [LogModel] = []
    var opened: UInt64 = 0

    /// Changes until the disk fails or the batches are done.
    mutating func run(batches: Int, random: inout SeededRandom) {
        do throws(WriteAheadLogError) {
            var log = try openLog(disk)
            opened = log.openings.count
            for _ in 0..<batches {
                var model = acknowledged
                possible = []
                for _ in 0...random.below(4) {
                    let change = model.randomChange(using: &random)
                    model.apply(change)
                    possible.append(model)
                    try perform(change, on: &log)
                }
                try log.commit()
                acknowledged = model
                possible = []
                guard random.chance(1, in: 6) else { continue }
                try log.close()
                log = try openLog(disk)
                opened = log.openings.count
            }
        } catch {
            guard case .storage = error else {
                Issue.record("the run ended with \(error.message)")
                return
            }
        }
    }

    /// Opens the log after a crash; the crash may hit the start as well.
    mutating func recover(crashAt: Int?, random: inout SeededRandom) throws -> LogModel {
        if let crashAt {
            disk.crashAt = crashAt
            do throws(WriteAheadLogError) {
                opened = try openLog(disk).openings.count
            } catch {
                guard case .storage = error else { throw error }
            }
            disk.crash(using: &random)
        }
        var log = try openLog(disk)
        #expect(log.openings.count > opened)
        let found = try contents(of: log)
        // What is written over the remains of the crash must last as well.
        var model = found
        for _ in 0..<4 {
            let change = model.randomChange(using: &random)
            model.apply(change)
            try perform(change, on: &log)
            try log.commit()
        }
        disk.crash(using: &random)
        #expect(try contents(of: openLog(disk)) == model)
        return found
    }
}

@Suite struct CrashTests {
    /// Runs one seed with a crash at each operation in turn.
    private func explore(seed: UInt64, again: Bool) throws {
        var whole = CrashRun()
        var random = SeededRandom(seed: seed)
        whole.run(batches: 14, random: &random)
        #expect(whole.disk.crashAt == nil)
        // More than one run has, since openings within a run do not start the count again.
        for operation in 0..<whole.disk.operations {
            var run = CrashRun()
            run.disk.crashAt = operation
            var random = SeededRandom(seed: seed)
            run.run(batches: 14, random: &random)
            var chance = SeededRandom(seed: seed &+ UInt64(operation) &* 1_000_003)
            run.disk.crash(using: &chance)
            let second = again ? chance.below(14) : nil
            let found = try run.recover(crashAt: second, random: &chance)
            let isRight = found == run.acknowledged || run.possible.contains(found)
            #expect(isRight, "seed \(seed), crash at operation \(operation)")
            guard isRight else { return }
        }
    }

    @Test(arguments: UInt64(0)..<24)
    func `A crash at any disk operation loses nothing acknowledged`(seed: UInt64) throws {
        try explore(seed: seed, again: false)
    }

    @Test(arguments: UInt64(100)..<124)
    func `A crash during the start after a crash loses nothing acknowledged`(
        seed: UInt64
    ) throws {
        try explore(seed: seed, again: true)
    }

    @Test(arguments: UInt64(200)..<208)
    func `A disk that fails at any operation ends the log and loses nothing`(
        seed: UInt64
    ) throws {
        var whole = CrashRun()
        var random = SeededRandom(seed: seed)
        whole.run(batches: 10, random: &random)
        for operation in 0..<whole.disk.operations {
            var run = CrashRun()
            run.disk.failAt = operation
            var random = SeededRandom(seed: seed)
            run.run(batches: 10, random: &random)
            run.disk.restart()
            let found = try run.recover(crashAt: nil, random: &random)
            #expect(found == run.acknowledged || run.possible.contains(found))
        }
    }

    @Test func `The check sees a disk that lies about syncs`() throws {
        var losses = 0
        for seed in UInt64(0)..<40 {
            var run = CrashRun()
            var random = SeededRandom(seed: seed)
            run.disk.liesAboutSync = true
            run.disk.crashAt = 60
            run.run(batches: 14, random: &random)
            run.disk.crash(using: &random)
            run.disk.liesAboutSync = false
            do {
                let log = try openLog(run.disk)
                if try contents(of: log) != run.acknowledged { losses += 1 }
            } catch {
                losses += 1
            }
        }
        #expect(losses > 20)
    }

    @Test func `After an error the log takes nothing more`() throws {
        let disk = SimulatedStorage()
        var log = try openLog(disk)
        try log.append(entry(1))
        disk.failAt = disk.operations
        do {
            try log.commit()
            Issue.record("a failed write was taken for done")
        } catch {
            guard case .storage = error else { throw error }
        }
        let writes = disk.writes
        do {
            try log.append(entry(2))
            Issue.record("the log went on")
        } catch {
            #expect(error == .ended)
        }
        do {
            try log.commit()
            Issue.record("the log went on")
        } catch {
            #expect(error == .ended)
        }
        #expect(disk.writes == writes)
    }
}
