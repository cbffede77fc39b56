import Model
import NIOCore
import NIOPosix
import StateMachine
import StateStore
import Synchronization

/// What the log says, on the replica's loop.
extension Replica {
    /// Handles what the log tells, or keeps it while an archive is being restored.
    func receive(_ event: ReplicationEvent) {
        if case .ready = event { return resumeDraining() }
        guard !intake.value.isPaused else { return intake.value.events.append(event) }
        handle(event)
    }

    private func handle(_ event: ReplicationEvent) {
        switch event {
        case .committed(let entries, let through):
            apply(entries[...], through: through)
        case .restored(let machine, let through):
            self.machine.withLock { $0 = machine }
            refreshDuties()
            publish(ChangeSet(), replacesEverything: true)
            log.applied(through: through)
        case .refused(let ids, let error):
            var answers = CompletionBatch()
            for id in ids {
                guard let proposal = writer.value.take(id) else { continue }
                answers.append(proposal, .failure(error))
            }
            answers.send()
        case .leadershipChanged(let isLeader):
            writer.value.duties.leadershipChanged(
                isLeader: isLeader,
                sessions: applied.sessions().value.map(\.session),
                at: eventLoop.now
            )
        case .ready:
            break
        case .asked(let request, let answer):
            perform(request, answer)
        }
        scheduleDuties()
    }

    private func apply(_ entries: ArraySlice<CommittedEntry>, through: LogIndex) {
        var changes = ChangeSet()
        var answers = CompletionBatch()
        let progress = machine.withLock { machine in
            writer.value.apply(
                entries,
                to: &machine,
                now: eventLoop.now,
                changes: &changes,
                answers: &answers
            )
        }
        if !entries.isEmpty { publish(changes) }
        switch progress {
        case .done:
            log.applied(through: through)
            answers.send()
        case .mustRestore(let archive, let position, let proposal):
            answers.send()
            restore(archive, entries, at: position, proposal, through: through)
        }
    }

    /// Makes what was applied the current state and tells every loop what changed.
    ///
    /// The notices enter the inboxes before the generation moves, all under one lock: a reader that
    /// sees the new generation finds its notice, and one that handles the notice finds the new
    /// state.
    ///
    /// While nobody reads, the state is not prepared: a copy would have the next commits copy
    /// whatever they change. Whoever comes first makes it, see `current`.
    private func publish(_ changes: ChangeSet, replacesEverything: Bool = false) {
        let isAwaited = publication.withLock { publication in
            publication.eagerCommits -= publication.eagerCommits > 0 ? 1 : 0
            return publication.eagerCommits > 0
        }
        let store = isAwaited ? applied : nil
        // Dies outside of the lock: what only it held goes with it.
        let (woken, old) = publication.withLock { publication in
            let old = publication.current
            publication.generation += 1
            let generation = publication.generation
            let notice = ChangeNotice(
                generation: generation,
                changes: changes,
                replacesEverything: replacesEverything
            )
            let woken = publication.inboxes.filter { $0.append(notice) }
            publication.current = store.map { Published(store: $0, generation: generation) }
            publishedGeneration.store(generation, ordering: .releasing)
            return (woken, old)
        }
        withExtendedLifetime(old) {}
        for inbox in woken { inbox.wake() }
    }

    // MARK: Restoring an archive

    /// Reads the archive on a thread of its own; what the log says meanwhile waits.
    private func restore(
        _ archive: [UInt8],
        _ entries: ArraySlice<CommittedEntry>,
        at position: Int,
        _ proposal: PendingProposal?,
        through: LogIndex
    ) {
        intake.value.isPaused = true
        let read = readArchive
        let reading = NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) {
            try read(archive)
        }
        let index = entries[position].index
        reading.whenComplete { result in
            var answers = CompletionBatch()
            switch result {
            case .success(let store):
                self.machine.withLock { $0.adopt(store, at: index) }
                self.refreshDuties()
                self.publish(ChangeSet(), replacesEverything: true)
                if let proposal { answers.append(proposal, .success(.done)) }
            case .failure(let error):
                self.machine.withLock { $0.abandonRestore() }
                let refusal = CommandResult.refused(.invalid("\(error)"))
                if let proposal { answers.append(proposal, .success(refusal)) }
            }
            self.intake.value.isPaused = false
            self.apply(entries[(position + 1)...], through: through)
            answers.send()
            self.resume()
        }
    }

    /// Handles what the log said during a restore, up to the next one.
    private func resume() {
        while !intake.value.isPaused, !intake.value.events.isEmpty {
            handle(intake.value.events.removeFirst())
        }
        scheduleDuties()
    }

    // MARK: The leader's duties

    /// Begins the duties anew, because the sessions are others.
    private func refreshDuties() {
        guard writer.value.duties.isLeader else { return }
        writer.value.duties.leadershipChanged(
            isLeader: true,
            sessions: applied.sessions().value.map(\.session),
            at: eventLoop.now
        )
    }

    func scheduleDuties() {
        guard let deadline = writer.value.duties.takeUnscheduledDeadline() else { return }
        let timer = eventLoop.scheduleTask(deadline: deadline) { self.performDuties() }
        writer.value.duties.isScheduled(timer, at: deadline)
    }

    private func performDuties() {
        let store = applied
        let commands = writer.value.duties.due(at: eventLoop.now) { id in
            store.session(id).value != nil
        }
        for command in commands {
            propose(command, on: eventLoop) { _ in }
        }
        scheduleDuties()
    }
}
