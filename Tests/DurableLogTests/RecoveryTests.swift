import DurableLog
import Model
import Raft
import StorageSimulation
import Testing
import WriteAheadLog

/// What a start makes of a log and the newest snapshot.
@Suite struct RecoveryTests {
    private func recover(
        _ disk: SimulatedStorage,
        behind snapshot: StoredSnapshot? = nil
    ) throws(DurableLogError) -> RecoveredState {
        disk.restart()
        var log = try openLog(disk)
        return try log.recover(behind: snapshot)
    }

    private func refusal(
        _ disk: SimulatedStorage,
        behind snapshot: StoredSnapshot?
    ) -> DurableLogError? {
        failure { () throws(DurableLogError) in
            disk.restart()
            var log = try openLog(disk)
            // Only the count of openings may be new.
            let opened = disk.image
            defer { #expect(disk.image == opened) }
            _ = try log.recover(behind: snapshot)
        }
    }

    @Test func `A new server starts without members, term or entries`() throws {
        let state = try recover(SimulatedStorage())
        #expect(state.hardState == HardState())
        #expect(state.log.lastPosition == .zero)
        #expect(state.log.configuration.configuration.members.isEmpty)
    }

    @Test func `A new cluster's first entry holds its members`() throws {
        let disk = SimulatedStorage()
        var log = try openLog(disk)
        #expect(log.isUntouched == true)
        try log.bootstrap(cluster: 7, threeMembers)
        #expect(log.isUntouched == false)
        #expect(log.identity == LogIdentity(cluster: 7, server: server))
        disk.restart()
        let again = try openLog(disk)
        #expect(again.identity.cluster == 7)
        let state = try recover(disk)
        #expect(state.hardState == HardState(term: Term(rawValue: 1)))
        #expect(state.log.lastPosition == position(1, term: 1))
        #expect(state.log.configuration.configuration == threeMembers)
        #expect(state.log.configuration.index == index(1))
    }

    @Test func `A new cluster in a log that has one is refused`() throws {
        let disk = try filledDisk(through: 3)
        disk.restart()
        var log = try openLog(disk)
        do throws(DurableLogError) {
            try log.bootstrap(cluster: 8, threeMembers)
            Issue.record("a second cluster in one log")
        } catch {
            guard case .contradiction = error else { throw error }
        }
        do throws(DurableLogError) {
            try log.adopt(cluster: 8)
            Issue.record("a second cluster in one log")
        } catch {
            guard case .log(.foreign) = error else { throw error }
        }
    }

    @Test func `A crash at any operation of a bootstrap leaves nothing or all of it`() throws {
        for operation in 0..<60 {
            let disk = SimulatedStorage()
            disk.crashAt = operation
            _ = failure { () throws(DurableLogError) in
                var log = try openLog(disk)
                try log.bootstrap(cluster: 7, threeMembers)
            }
            var random = SeededRandom(seed: UInt64(operation))
            disk.crash(using: &random)
            var log = try openLog(disk)
            if log.isUntouched {
                try log.bootstrap(cluster: 7, threeMembers)
            }
            #expect(try log.recover(behind: nil).log.lastPosition == position(1, term: 1))
            #expect(log.identity.cluster == 7)
        }
    }

    @Test func `Entries behind the snapshot, votes and the commit index come back`() throws {
        let disk = try filledDisk(through: 9, commit: 6)
        disk.restart()
        var log = try openLog(disk)
        try log.stage(
            [hardState(3, vote: 12), .append([command(10, term: 3)]), .compact(through: index(2))],
            commit: .zero
        )
        try log.commit()
        let state = try recover(disk, behind: snapshot(4, term: 1))
        #expect(state.hardState == HardState(term: Term(rawValue: 3), votedFor: member(12).id))
        #expect(state.log.base == position(2, term: 1))
        #expect(state.log.snapshot == point(4, term: 1))
        #expect(state.log.lastPosition == position(10, term: 3))
        #expect(state.log.commit == index(6))
        #expect(state.log.applied == index(4))
        #expect(state.log.stable == index(10))
        #expect(state.log.entry(at: index(10)) == command(10, term: 3))
        #expect(!state.wasReset)
    }

    @Test func `A log that a snapshot has overtaken is set anew behind it`() throws {
        for term in UInt64(1)...5 {
            let disk = try filledDisk(through: 9, commit: 6)
            let state = try recover(disk, behind: snapshot(30, term: term))
            #expect(state.wasReset)
            #expect(state.log.base == position(30, term: term))
            #expect(state.log.lastPosition == position(30, term: term))
            #expect(state.log.commit == index(30))
            #expect(state.hardState.term == Term(rawValue: term))
            // And it stays so.
            let again = try recover(disk, behind: snapshot(30, term: term))
            #expect(!again.wasReset)
            #expect(again.hardState == state.hardState)
            #expect(again.log.lastPosition == position(30, term: term))
        }
    }

    @Test func `Uncommitted entries that contradict the snapshot go`() throws {
        let disk = try filledDisk(through: 9, commit: 6)
        let state = try recover(disk, behind: snapshot(8, term: 2))
        #expect(state.wasReset)
        #expect(state.log.lastPosition == position(8, term: 2))
    }

    @Test func `A log without the snapshot that it needs is refused`() throws {
        let disk = try filledDisk(through: 9)
        disk.restart()
        var log = try openLog(disk)
        try log.stage([.compact(through: index(5))], commit: .zero)
        try log.commit()
        #expect(refusal(disk, behind: nil) == .snapshotMissing(base: position(5, term: 1)))
        #expect(
            refusal(disk, behind: snapshot(4, term: 1))
                == .snapshotTooOld(snapshot: position(4, term: 1), base: position(5, term: 1))
        )
        let message = refusal(disk, behind: nil)?.message
        #expect(message?.contains("after entry 5") == true)
        #expect(message?.contains("join again") == true)
    }

    @Test func `A snapshot that contradicts committed entries is refused`() throws {
        let disk = try filledDisk(through: 9, commit: 6)
        #expect(
            refusal(disk, behind: snapshot(6, term: 2))
                == .snapshotContradictsLog(snapshot: position(6, term: 2), term: Term(rawValue: 1))
        )
    }

    @Test func `A snapshot of another cluster is refused`() throws {
        let disk = try filledDisk(through: 9)
        #expect(
            refusal(disk, behind: snapshot(4, term: 1, cluster: 8))
                == .foreignSnapshot(expected: 7, found: 8)
        )
    }

    @Test func `A snapshot without its log is refused, at the second start too`() throws {
        let disk = SimulatedStorage()
        for _ in 0..<2 {
            let error = failure { () throws(DurableLogError) in
                _ = try recover(disk, behind: snapshot(4, term: 1))
            }
            #expect(error == .logMissing(snapshot: position(4, term: 1)))
        }
    }

    @Test func `A new server that has adopted the cluster starts from a snapshot alone`() throws {
        let disk = SimulatedStorage()
        var log = try openLog(disk)
        try log.adopt(cluster: 7)
        let state = try recover(disk, behind: snapshot(30, term: 4))
        #expect(state.wasReset)
        #expect(state.log.lastPosition == position(30, term: 4))
        #expect(state.hardState.term == Term(rawValue: 4))
    }

    @Test func `A log that lacks committed entries is refused`() throws {
        let disk = SimulatedStorage()
        let identity = LogIdentity(cluster: 7, server: server)
        do {
            var log = try WriteAheadLog.open(disk, identity: identity, limits: smallLimits)
            try log.append(EntryCoding.encode(command(1)))
            try log.save(DurableState(term: Term(rawValue: 1), commit: index(5)))
            try log.commit()
        }
        #expect(
            refusal(disk, behind: nil) == .committedEntriesMissing(commit: index(5), last: index(1))
        )
    }

    @Test func `The log of another server is refused`() throws {
        let disk = try filledDisk(through: 3)
        disk.restart()
        let error = failure { () throws(DurableLogError) in
            _ = try Log.open(disk, server: NodeID(rawValue: 12), limits: smallLimits)
        }
        guard case .log(.foreign) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
