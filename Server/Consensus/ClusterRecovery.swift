import DurableLog
import Glibc
package import Model
package import Raft
import Snapshots
import StateMachine
import StateStore
import Wire
import WriteAheadLog

/// Makes a cluster of one out of what a server has on disk, when the others are lost for good.
///
/// For a server that does not run. Everything in its log counts, also what was never committed; the
/// old directory is kept under another name. The new cluster has an id of its own, so that servers
/// of the old one that come back are refused instead of believed.
package enum ClusterRecovery {
    /// What was recovered.
    package struct Report: Hashable, Sendable {
        /// The last entry of the old log.
        package var last: LogPosition
        /// The id of the new cluster.
        package var cluster: UInt128
        /// Where the old directory is now.
        package var keptDirectory: String
    }

    /// Recovers the server whose raft directory this is.
    ///
    /// - Parameters:
    ///   - directory: `raft` in the data directory.
    ///   - server: The id of the server, from the data directory.
    ///   - now: For the snapshot's date.
    /// - Returns: What is told to the operator.
    /// - Throws: `ConsensusError`; the directory is as it was.
    package static func run(
        directory: String,
        server: NodeID,
        now: Timestamp
    ) throws(ConsensusError) -> Report {
        let (machine, old) = try replay(directory, server)
        let last = old.lastPosition
        let address = old.configuration.configuration.member(server)?.address ?? ""
        let cluster = UInt128.random(in: 1...UInt128.max)
        let position = LogPosition(index: last.index.next, term: last.term.next)
        let configuration = ClusterConfiguration(members: [
            ClusterMember(id: server, role: .voter, address: address)
        ])
        let placed = PlacedConfiguration(index: position.index, configuration: configuration)
        let point = SnapshotPoint(position: position, configuration: placed)
        let seconds = now.nanosecondsSinceEpoch / 1_000_000_000
        let fresh = "\(directory).recovered-\(seconds)"
        let kept = "\(directory).before-recovery-\(seconds)"
        try write(machine, point, cluster, server, now, to: fresh)
        try rename(directory, to: kept)
        try rename(fresh, to: directory)
        return Report(last: last, cluster: cluster, keptDirectory: kept)
    }

    /// The state after every entry that the server has.
    private static func replay(
        _ directory: String,
        _ server: NodeID
    ) throws(ConsensusError) -> (StateMachine, RaftLog) {
        do {
            let keeper = try SnapshotDirectory(path: directory + "/snapshots")
            let newest = try keeper.newest()
            var machine = StateMachine(store: StateStore())
            var stored: StoredSnapshot?
            if let newest {
                let read = StateMachine(
                    store: newest.store,
                    remainder: newest.metadata.requests
                )
                guard let read else { throw ConsensusError("the snapshot is not readable") }
                machine = read
                stored = StoredSnapshot(
                    cluster: newest.metadata.cluster,
                    point: newest.metadata.point
                )
            }
            let disk = try PosixStorage(path: directory + "/wal")
            var log = try DurableLog.open(disk, server: server)
            let recovered = try log.recover(behind: stored)
            var index = recovered.log.snapshot.index.next
            while index <= recovered.log.lastIndex {
                let entries = try log.entries(
                    in: index...recovered.log.lastIndex,
                    bytesLimit: 4 << 20
                )
                for entry in entries { try apply(entry, to: &machine) }
                index = (entries.last?.index ?? recovered.log.lastIndex).next
            }
            return (machine, recovered.log)
        } catch let error as ConsensusError {
            throw error
        } catch let error as SnapshotError {
            throw ConsensusError(error.message)
        } catch let error as DurableLogError {
            throw ConsensusError("\(directory)/wal: \(error.message)")
        } catch let error as StorageFailure {
            throw ConsensusError("cannot \(error.operation) \(error.file): \(error.reason)")
        } catch {
            throw ConsensusError("\(error)")
        }
    }

    private static func apply(_ entry: Entry, to machine: inout StateMachine) throws {
        guard case .command(let bytes) = entry.body else { return }
        var changes = ChangeSet()
        let outcome = try machine.apply(bytes, at: entry.index, into: &changes)
        guard case .mustRestore(let archive) = outcome else { return }
        do throws(SnapshotError) {
            let reader = try SnapshotReader()
            try reader.consume(archive)
            machine.adopt(try reader.finish().store, at: entry.index)
        } catch {
            // As on the servers when the entry was new: nothing was changed.
            machine.abandonRestore()
        }
    }

    private static func write(
        _ machine: StateMachine,
        _ point: SnapshotPoint,
        _ cluster: UInt128,
        _ server: NodeID,
        _ now: Timestamp,
        to directory: String
    ) throws(ConsensusError) {
        do {
            try Directory.prepare(directory)
            let snapshots = try SnapshotDirectory(path: directory + "/snapshots")
            try snapshots.save(
                store: machine.store,
                metadata: SnapshotKeeper.metadata(of: machine, at: point, cluster: cluster, now)
            )
            var log = try DurableLog.open(
                try Directory.storage(directory + "/wal"),
                server: server
            )
            try log.adopt(cluster: cluster)
            try log.stage(
                [.hardState(HardState(term: point.position.term)), .reset(point)],
                commit: point.index
            )
            try log.commit()
            try log.close(commit: point.index)
        } catch let error as SnapshotError {
            throw ConsensusError(error.message)
        } catch let error as DurableLogError {
            throw ConsensusError(error.message)
        } catch {
            throw ConsensusError("\(error)")
        }
    }

    private static func rename(_ old: String, to new: String) throws(ConsensusError) {
        guard Glibc.rename(old, new) == 0 else {
            let reason = String(cString: strerror(errno))
            throw ConsensusError("cannot rename \(old) to \(new): \(reason)")
        }
        let parent = old.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/")
        let descriptor = open(parent.isEmpty ? "." : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw ConsensusError("cannot sync \(parent): \(String(cString: strerror(errno)))")
        }
    }
}
