import Model
package import Raft
import WriteAheadLog

/// What the newest whole snapshot on disk says of itself.
package struct StoredSnapshot: Hashable, Sendable {
    package var cluster: UInt128
    package var point: SnapshotPoint

    package init(cluster: UInt128, point: SnapshotPoint) {
        self.cluster = cluster
        self.point = point
    }
}

/// What the core starts from.
package struct RecoveredState: Sendable {
    package var hardState: HardState
    package var log: RaftLog
    /// How this server's disk stood, for its greetings.
    package var start: ServerStart
    /// Whether the log was set anew behind the snapshot, which a crash had kept from happening.
    package var wasReset: Bool
}

extension DurableLog {
    /// Makes the first entry of a new cluster: its members, at index 1 in term 1.
    ///
    /// Every server of a new cluster must be given the same members and the same cluster id. Done
    /// again after a crash it completes what is missing; a log in which anything was decided
    /// is refused.
    package mutating func bootstrap(
        cluster: UInt128,
        _ configuration: ClusterConfiguration
    ) throws(DurableLogError) {
        precondition(cluster != 0, "a cluster without an id")
        precondition(!configuration.voters.isEmpty && !configuration.isJoint, "no first members")
        guard isUntouched else {
            throw .contradiction("a new cluster in a log that already has one")
        }
        try adopt(cluster: cluster)
        let term = Term(rawValue: 1)
        let first = Entry(
            index: LogIndex(rawValue: 1),
            term: term,
            body: .configuration(configuration)
        )
        try stage([.hardState(HardState(term: term)), .append([first])], commit: .zero)
        try commit()
    }

    /// The core's state as of the last start: the newest snapshot and the entries behind it.
    ///
    /// A log that a newer snapshot has overtaken is set anew behind it. Nothing is changed when
    /// snapshot and log do not fit together.
    ///
    /// - Parameters:
    ///   - snapshot: The newest whole one on disk; nil when there is none.
    ///   - limits: The core's.
    /// - Returns: What `Raft` is made of.
    /// - Throws: When snapshot and log do not fit together, or an entry cannot be read.
    package mutating func recover(
        behind snapshot: StoredSnapshot?,
        limits: RaftLimits = .init()
    ) throws(DurableLogError) -> RecoveredState {
        let wasReset = try align(with: snapshot)
        let nobody = PlacedConfiguration(
            index: .zero,
            configuration: ClusterConfiguration(members: [])
        )
        var log = RaftLog(
            snapshot: snapshot?.point ?? SnapshotPoint(position: .zero, configuration: nobody),
            base: self.log.base,
            limits: limits
        )
        let last = self.log.last.index
        while log.lastIndex < last {
            let range = log.lastIndex.next...last
            let found = try entries(in: range, bytesLimit: 1 << 20)
            for entry in found where !log.recover(entry) {
                throw .contradiction("entry \(entry.index.rawValue) does not follow")
            }
            guard !found.isEmpty else {
                throw .contradiction("entry \(range.lowerBound.rawValue) is not in the log")
            }
        }
        log.recover(commit: self.log.state.commit)
        let state = self.log.state
        let start = ServerStart(openings: openings, term: state.term, last: log.lastIndex)
        return RecoveredState(
            hardState: HardState(term: state.term, votedFor: state.votedFor),
            log: log,
            start: start,
            wasReset: wasReset
        )
    }

    /// Checks that log and snapshot belong together; returns whether the log had to be reset.
    private mutating func align(
        with snapshot: StoredSnapshot?
    ) throws(DurableLogError) -> Bool {
        let (base, last, state) = (log.base, log.last, log.state)
        let point = snapshot?.point.position ?? .zero
        guard let snapshot, point.index > .zero else {
            guard base.index == .zero else { throw .snapshotMissing(base: base) }
            try checkCommit(state.commit, last)
            return false
        }
        // Whoever takes a snapshot has adopted the cluster before.
        guard !log.report.isNew, identity.cluster != 0 || snapshot.cluster == 0 else {
            throw .logMissing(snapshot: point)
        }
        guard snapshot.cluster == identity.cluster else {
            throw .foreignSnapshot(expected: identity.cluster, found: snapshot.cluster)
        }
        guard point.index >= base.index else {
            throw .snapshotTooOld(snapshot: point, base: base)
        }
        if let term = log.term(at: point.index) {
            if term == point.term {
                try checkCommit(state.commit, last)
                return false
            }
            // Entries behind the commit index may have been overruled by the cluster.
            guard point.index > base.index, point.index > state.commit else {
                throw .snapshotContradictsLog(snapshot: point, term: term)
            }
        }
        // Received and stored, but the log was not yet set behind it when the server stopped.
        var raised = state
        if point.term > raised.term {
            raised.term = point.term
            raised.votedFor = nil
        }
        raised.commit = max(raised.commit, point.index)
        try changing { (log) throws(WriteAheadLogError) in try log.reset(to: point) }
        try saving(raised)
        try commit()
        return true
    }

    private func checkCommit(_ commit: LogIndex, _ last: LogPosition) throws(DurableLogError) {
        guard commit <= last.index else {
            throw .committedEntriesMissing(commit: commit, last: last.index)
        }
    }
}
