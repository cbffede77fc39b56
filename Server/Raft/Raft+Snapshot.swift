import Model

/// Snapshots: the shell moves the bytes, the core decides what they mean for the log.
///
/// - Source: Raft §7.
extension Raft {
    /// Asks the shell to send the newest snapshot, once the follower is known to live.
    func beginSnapshot(
        to follower: inout Progress,
        now: Instant,
        into effects: inout RaftEffects
    ) {
        guard now.since(follower.lastContact) < settings.timing.electionTimeout else { return }
        follower.becomeSnapshot(through: log.snapshot.index)
        let transfer = SnapshotTransfer(
            peer: follower.id,
            term: term,
            through: log.snapshot.index
        )
        effects.snapshots.append(transfer)
    }

    mutating func didSendSnapshot(to peer: NodeID, _ delivered: Bool) {
        guard role == .leader, let position = leading.position(of: peer),
            case .snapshot = leading.followers[position].state
        else { return }
        if delivered {
            leading.followers[position].becomeProbe()
        } else {
            leading.followers[position].abandonSnapshot()
        }
    }

    mutating func didTakeSnapshot(
        _ point: SnapshotPoint,
        _ through: LogIndex,
        _ effects: inout RaftEffects
    ) {
        let before = log.base
        log.compact(through: through, behind: point)
        if log.base != before { write(.compact(through: log.base.index), into: &effects) }
    }

    /// Takes over a received snapshot, unless the log already has what it holds.
    mutating func didReceiveSnapshot(
        _ point: SnapshotPoint,
        from sender: NodeID,
        term senderTerm: Term,
        now: Instant,
        into effects: inout RaftEffects
    ) {
        guard sender != id, senderTerm <= .greatestPlausible, point.position.term <= senderTerm,
            point.index <= .greatestPlausible, point.configuration.index <= point.index
        else {
            effects.notes.append(.implausible(from: sender))
            return
        }
        guard senderTerm >= term else {
            sendWhenTermIsDurable(.termNotice, to: sender, into: &effects)
            return
        }
        if senderTerm > term {
            becomeFollower(senderTerm, leader: sender, now: now, into: &effects)
        }
        guard role != .leader else {
            effects.notes.append(.implausible(from: sender))
            return
        }
        heard(leader: sender, now: now, into: &effects)
        guard point.index > log.commit || faults.has(.installsOldSnapshots) else {
            accept(through: log.commit, from: sender, into: &effects)
            return
        }
        if log.contains(point.position), !faults.has(.installsOldSnapshots) {
            // The entries themselves are here, which is more than the snapshot holds.
            log.commit(through: point.index)
        } else {
            install(point, into: &effects)
        }
        accept(through: point.index, from: sender, into: &effects)
    }

    private mutating func install(_ point: SnapshotPoint, into effects: inout RaftEffects) {
        let before = log.configuration
        log.reset(to: point)
        unsynced.truncate(after: .zero)
        write(.reset(point), into: &effects)
        effects.apply.append(.restore(point))
        noteConfiguration(before: before, into: &effects)
    }
}
