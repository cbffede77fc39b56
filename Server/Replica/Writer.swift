import Model
import NIOCore
import StateStore
import Wire

/// The part of a replica that writes: owned by the replica's event loop.
struct Writer {
    private(set) var store: StateStore
    var duties: LeaderDuties
    /// Proposals handed to the log and not yet answered.
    private var inFlight: [ProposalID: PendingProposal] = [:]

    init(store: StateStore, limits: ReplicaLimits) {
        self.store = store
        duties = LeaderDuties(limits: limits)
    }

    /// Remembers who waits for these proposals.
    mutating func expect(_ batch: [PendingProposal]) {
        for proposal in batch { inFlight[proposal.id] = proposal }
    }

    mutating func takeInFlight(_ id: ProposalID) -> PendingProposal? {
        inFlight.removeValue(forKey: id)
    }

    /// Everything unanswered, in the order proposed.
    mutating func takeAllInFlight() -> [PendingProposal] {
        defer { inFlight = [:] }
        return inFlight.values.sorted { $0.id.rawValue < $1.id.rawValue }
    }

    /// Applies committed entries in order; gives what they touched and the answers to send.
    mutating func apply(
        _ entries: [CommittedEntry],
        now: NIODeadline
    ) -> (ChangeSet, CompletionBatch) {
        var changes = ChangeSet()
        var answers = CompletionBatch()
        for entry in entries {
            let proposal = entry.proposal.flatMap { takeInFlight($0) }
            guard let command = proposal?.command ?? decode(entry) else { continue }
            let result = store.apply(
                command,
                at: entry.index,
                stamped: entry.stamp,
                into: &changes
            )
            duties.observe(command, result: result, now: now)
            if let proposal { answers.append(proposal, .success(result)) }
        }
        if changes.leftTombstones {
            duties.expectTombstones(upTo: store.lastApplied, now: now)
        }
        return (changes, answers)
    }

    /// Reads a command that another process proposed; nil for one that may be ignored when unknown.
    private func decode(_ entry: CommittedEntry) -> Command? {
        do {
            return try CommandCoding.decode(entry.payload)
        } catch {
            // A committed entry that this version cannot read must not be skipped: the replicas
            // would differ from here on.
            preconditionFailure("log entry \(entry.index.rawValue) cannot be applied: \(error)")
        }
    }
}
