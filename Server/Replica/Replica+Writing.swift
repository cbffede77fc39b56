package import Model
package import NIOCore
import StateMachine
import Synchronization
import Wire

extension Replica {
    /// Proposes a command; `completion` runs on `loop`, after the state that has the write is
    /// published.
    package func propose(
        _ command: Command,
        on loop: any EventLoop,
        _ completion: @escaping @Sendable (ProposalOutcome) -> Void
    ) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        bytes.append(contentsOf: repeatElement(0, count: EntryHeader.sizeBytes))
        CommandCoding.encode(command, into: &bytes)
        propose(.command, command, bytes, on: loop, .plain(completion))
    }

    /// Proposes a command and waits for its result.
    package func propose(_ command: Command) async throws(ProposalError) -> CommandResult {
        let outcome = await withCheckedContinuation { continuation in
            propose(command, on: eventLoop) { continuation.resume(returning: $0) }
        }
        return try outcome.get()
    }

    /// Replaces the registry by that of an archive, at one place of the log on every server.
    ///
    /// The archive travels in pieces; a restore that another one interrupts is refused.
    /// - Parameters:
    ///   - length: of the archive in bytes.
    ///   - piece: gives the bytes from an offset on, at most as many as asked for.
    /// - Returns: `done`, or why the archive was refused; then nothing was changed.
    /// - Throws: A `ProposalError`, or what `piece` throws.
    package func restore(
        length: Int,
        piece: (_ offset: Int, _ count: Int) async throws -> [UInt8]
    ) async throws -> CommandResult {
        let (begun, beginning) = await propose(.restoreBegin, number: UInt64(length))
        guard case .done = try begun.get() else { return try begun.get() }
        var offset = 0
        while offset < length {
            let bytes = try await piece(offset, min(limits.restorePieceBytes, length - offset))
            guard !bytes.isEmpty else { break }
            offset += bytes.count
            let (added, _) = await propose(.restoreChunk, number: beginning.rawValue, bytes)
            guard case .done = try added.get() else { return try added.get() }
        }
        return try await propose(.restoreCommit, number: beginning.rawValue).0.get()
    }

    private func propose(
        _ kind: EntryKind,
        number: UInt64,
        _ body: [UInt8] = []
    ) async -> (ProposalOutcome, ProposalID) {
        var bytes = [UInt8](repeating: 0, count: EntryHeader.sizeBytes)
        for place in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * place))) }
        bytes += body
        let entry = bytes
        return await withCheckedContinuation { continuation in
            let completion = ProposalCompletion.identified { outcome, id in
                continuation.resume(returning: (outcome, id))
            }
            propose(kind, nil, entry, on: eventLoop, completion)
        }
    }

    private func propose(
        _ kind: EntryKind,
        _ command: Command?,
        _ bytes: [UInt8],
        on loop: any EventLoop,
        _ completion: ProposalCompletion
    ) {
        let none = ProposalID(rawValue: 0)
        guard bytes.count <= limits.commandBytes else {
            let text = "command of \(bytes.count) bytes is over \(limits.commandBytes)"
            loop.execute { completion(.failure(ProposalError(.tooLarge, text)), none) }
            return
        }
        let proposal = PendingProposal(
            id: none,
            kind: kind,
            command: command,
            bytes: bytes,
            loop: loop,
            completion: completion
        )
        let refusal = enqueue(proposal)
        if let refusal {
            loop.execute { completion(.failure(refusal), none) }
        }
    }

    /// Queues a proposal; what can be done outside of the lock is.
    private func enqueue(_ proposal: consuming PendingProposal) -> ProposalError? {
        var proposal = proposal
        let size = proposal.bytes.count
        let (refusal, mustDrain) = queue.withLock { queue -> (ProposalError?, Bool) in
            if queue.isStopped { return (ProposalError(.stopped, "server is stopping"), false) }
            let isFull =
                queue.proposals.count >= limits.pendingProposals
                || queue.bytes + size > limits.pendingBytes
            if isFull { return (ProposalError(.overloaded, "too many pending writes"), false) }
            proposal.id = ProposalID(rawValue: queue.nextID)
            queue.proposals.append(proposal)
            queue.nextID += 1
            queue.bytes += size
            defer { queue.isDrainScheduled = true }
            return (nil, !queue.isDrainScheduled)
        }
        if mustDrain { eventLoop.execute { self.drain() } }
        return refusal
    }

    /// Hands the next batch to the log, or leaves it queued while the log is busy; runs on the
    /// replica's loop.
    ///
    /// What is queued meanwhile wakes nobody: the next drain counts as scheduled.
    private func drain() {
        guard !log.isBusy else {
            intake.value.isDrainDeferred = true
            return
        }
        // With room for the next ones: they are queued under the lock.
        var room: [PendingProposal] = []
        room.reserveCapacity(64)
        let (batch, hasMore) = queue.withLock { queue -> ([PendingProposal], Bool) in
            let batch: [PendingProposal]
            if queue.proposals.count <= limits.batchedProposals {
                batch = queue.proposals
                queue.proposals = []
                swap(&queue.proposals, &room)
                queue.bytes = 0
            } else {
                batch = Array(queue.proposals.prefix(limits.batchedProposals))
                queue.proposals.removeFirst(batch.count)
                queue.bytes -= batch.reduce(0) { $0 + $1.bytes.count }
            }
            queue.isDrainScheduled = !queue.proposals.isEmpty
            return (batch, queue.isDrainScheduled)
        }
        if hasMore { eventLoop.execute { self.drain() } }
        log.propose(writer.value.prepare(batch, stamp: wallClock()))
    }

    /// Goes on with what was queued while the log was busy.
    func resumeDraining() {
        guard intake.value.isDrainDeferred else { return }
        intake.value.isDrainDeferred = false
        drain()
    }
}
