import Model
import NIOCore
import StateMachine
import StateStore
import Wire

/// The part of a replica that writes: owned by the replica's event loop.
struct Writer {
    var duties: LeaderDuties
    private let proposer: Proposer
    private var waiting = ConsecutiveTable<PendingProposal>()

    init(proposer: Proposer, limits: ReplicaLimits) {
        self.proposer = proposer
        duties = LeaderDuties(limits: limits)
    }

    /// Remembers who waits for these proposals, and completes their heads.
    mutating func prepare(
        _ batch: consuming [PendingProposal],
        stamp: Timestamp
    ) -> [ProposedEntry] {
        var entries: [ProposedEntry] = []
        entries.reserveCapacity(batch.count)
        for place in batch.indices {
            // Taken out, so that the head is written in place.
            var bytes = batch[place].takeBytes()
            let proposal = batch[place]
            waiting.add(proposal, number: proposal.id.rawValue)
            EntryHeader(
                kind: proposal.kind,
                stamp: stamp,
                request: RequestID(
                    origin: proposer.origin,
                    start: proposer.start,
                    number: proposal.id.rawValue
                ),
                resolved: waiting.lowest
            ).write(over: &bytes)
            entries.append(ProposedEntry(id: proposal.id, bytes: bytes))
        }
        return entries
    }

    mutating func take(_ id: ProposalID) -> PendingProposal? {
        waiting.take(id.rawValue)
    }

    /// Everything unanswered, in the order proposed.
    mutating func takeAll() -> [PendingProposal] {
        waiting.takeAll()
    }

    /// How far a batch came.
    enum Progress {
        case done
        /// An archive is complete at `position` of the batch; the proposal waits for it.
        case mustRestore([UInt8], position: Int, PendingProposal?)
    }

    /// Applies committed entries in order; adds what they touched and the answers to send.
    mutating func apply(
        _ entries: ArraySlice<CommittedEntry>,
        to machine: inout StateMachine,
        now: NIODeadline,
        changes: inout ChangeSet,
        answers: inout CompletionBatch
    ) -> Progress {
        for position in entries.indices {
            let entry = entries[position]
            let header = EntryHeader(entry.bytes)
            var proposal = header.flatMap { own($0.request) }.flatMap { waiting.take($0.rawValue) }
            let outcome: StateMachine.Outcome
            let step: SessionCommand?
            do throws(WireError) {
                // Moved on and on rather than copied: a command is large.
                var command = proposal?.takeCommand()
                if proposal == nil { command = try decode(entry, header) }
                step = command?.session
                outcome = try machine.apply(
                    entry.bytes,
                    header: header,
                    command: command.take(),
                    at: entry.index,
                    into: &changes
                )
            } catch {
                // A committed entry that this version cannot read must not be skipped: the
                // replicas would differ from here on.
                preconditionFailure("log entry \(entry.index.rawValue): \(error.message)")
            }
            switch outcome {
            case .applied(let result):
                if let step { duties.observe(step, result: result, now: now) }
                if let proposal { answers.append(proposal, .success(result)) }
            case .duplicate, .ignored:
                if let proposal { answers.append(proposal, .failure(.outcomeUnknown)) }
            case .mustRestore(let archive):
                return .mustRestore(archive, position: position, proposal)
            }
        }
        if changes.leftTombstones {
            duties.expectTombstones(upTo: machine.store.lastApplied, now: now)
        }
        return .done
    }

    private func own(_ request: RequestID) -> ProposalID? {
        guard request.origin == proposer.origin, request.start == proposer.start else {
            return nil
        }
        return ProposalID(rawValue: request.number)
    }

    private func decode(
        _ entry: CommittedEntry,
        _ header: EntryHeader?
    ) throws(WireError) -> Command? {
        guard header?.kind == .command else { return nil }
        return try EntryHeader.command(of: entry.bytes)
    }
}

extension Command {
    /// What the command does to sessions; nil when it is about something else.
    fileprivate var session: SessionCommand? {
        if case .session(let command) = self { command } else { nil }
    }
}
