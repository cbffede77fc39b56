package import Model
package import NIOCore
package import StateStore
import Synchronization
import Wire

/// One server's copy of the registry: proposals in, published snapshots, answers and wake-ups out.
///
/// A proposal is encoded by its proposer's thread, queued, and handed to the log in one batch per
/// turn of the replica's event loop. What the log commits is applied there, published as one
/// immutable snapshot per batch, and only then answered; so whoever got an answer finds its write
/// in `current`. Limits: `ReplicaLimits`.
package final class Replica: Sendable {
    private struct Queue {
        var proposals: [PendingProposal] = []
        var bytes = 0
        var nextID: UInt64 = 1
        var isDrainScheduled = false
        var isStopped = false
    }

    private struct Publication {
        var current: Published
        var inboxes: [WatchInbox] = []
    }

    /// Where commands are applied; nothing else writes the state.
    package let eventLoop: any EventLoop
    private let log: any ReplicatedLog
    private let limits: ReplicaLimits
    private let wallClock: @Sendable () -> Timestamp
    private let queue = Mutex(Queue())
    private let publication: Mutex<Publication>
    private let publishedGeneration = Atomic<UInt64>(0)
    private let writer: NIOLoopBoundBox<Writer>

    /// Makes a replica that is idle until `start()`.
    ///
    /// - Parameters:
    ///   - eventLoop: applies the log; better one that serves no connections.
    ///   - log: where proposals go.
    ///   - limits: of the queues before the log.
    ///   - storeLimits: of the state; the same on every server.
    ///   - wallClock: read once per proposal, on the proposer's thread.
    package init(
        eventLoop: any EventLoop,
        log: any ReplicatedLog,
        limits: ReplicaLimits = ReplicaLimits(),
        storeLimits: StateStoreLimits = StateStoreLimits(),
        wallClock: @escaping @Sendable () -> Timestamp
    ) {
        self.eventLoop = eventLoop
        self.log = log
        self.limits = limits
        self.wallClock = wallClock
        let store = StateStore(limits: storeLimits)
        publication = Mutex(Publication(current: Published(store: store, generation: 0)))
        writer = .makeBoxSendingValue(
            Writer(store: store, limits: limits),
            as: Writer.self,
            eventLoop: eventLoop
        )
    }

    /// Starts the log and the leader's duties.
    package func start() {
        eventLoop.execute {
            self.log.start { self.handle($0) }
        }
    }

    /// Refuses what is still queued and everything that follows; ends the timers.
    package func stop() async {
        let waiting = queue.withLock { queue in
            queue.isStopped = true
            defer { queue.proposals = [] }
            return queue.proposals
        }
        let error = ProposalError(.stopped, "server is stopping")
        try? await eventLoop.submit {  // Fails only when the loop itself is gone.
            var answers = CompletionBatch()
            for proposal in waiting + self.writer.value.takeAllInFlight() {
                answers.append(proposal, .failure(error))
            }
            self.writer.value.duties.cancel()
            answers.send()
        }.get()
    }

    // MARK: Reading

    /// The newest published state; has every write that was answered.
    package var current: Published {
        publication.withLock { $0.current }
    }

    /// The generation of `current`, for one atomic load.
    package var generation: UInt64 {
        publishedGeneration.load(ordering: .acquiring)
    }

    /// Who leads, and the servers of the log.
    package var leadership: Leadership {
        log.leadership
    }

    /// Makes the watches of one event loop; call once per loop, on it, and keep the result there.
    package func makeWatchRegistry(on loop: any EventLoop) -> WatchRegistry {
        loop.preconditionInEventLoop()
        let inbox = WatchInbox(loop: loop, limit: limits.unreadChanges)
        let registry = WatchRegistry(replica: self, inbox: inbox)
        inbox.attach(registry)
        publication.withLock { publication in
            inbox.begin(at: publication.current.generation)
            publication.inboxes.append(inbox)
        }
        return registry
    }

    // MARK: Writing

    /// Proposes a command; `completion` runs on `loop`, after the state that has the write is
    /// published.
    package func propose(
        _ command: Command,
        on loop: any EventLoop,
        _ completion: @escaping @Sendable (ProposalOutcome) -> Void
    ) {
        var payload: [UInt8] = []
        CommandCoding.encode(command, into: &payload)
        guard payload.count <= limits.commandBytes else {
            let text = "command of \(payload.count) bytes is over \(limits.commandBytes)"
            loop.execute { completion(.failure(ProposalError(.tooLarge, text))) }
            return
        }
        let refusal = enqueue(command, payload: payload, on: loop, completion)
        if let refusal {
            loop.execute { completion(.failure(refusal)) }
        }
    }

    /// Proposes a command and waits for its result.
    package func propose(_ command: Command) async throws(ProposalError) -> CommandResult {
        let outcome = await withCheckedContinuation { continuation in
            propose(command, on: eventLoop) { continuation.resume(returning: $0) }
        }
        return try outcome.get()
    }

    /// Starts the session's time to live anew; true when the session exists.
    package func renewSession(_ id: String) -> Bool {
        guard current.store.session(id).value != nil else { return false }
        eventLoop.execute {
            self.writer.value.duties.renew(session: id, at: self.eventLoop.now)
            self.scheduleDuties()
        }
        return true
    }

    private func enqueue(
        _ command: Command,
        payload: [UInt8],
        on loop: any EventLoop,
        _ completion: @escaping @Sendable (ProposalOutcome) -> Void
    ) -> ProposalError? {
        let (refusal, mustDrain) = queue.withLock { queue -> (ProposalError?, Bool) in
            if queue.isStopped { return (ProposalError(.stopped, "server is stopping"), false) }
            let isFull =
                queue.proposals.count >= limits.pendingProposals
                || queue.bytes + payload.count > limits.pendingBytes
            if isFull { return (ProposalError(.overloaded, "too many pending writes"), false) }
            queue.proposals.append(
                PendingProposal(
                    id: ProposalID(rawValue: queue.nextID),
                    command: command,
                    payload: payload,
                    loop: loop,
                    completion: completion
                )
            )
            queue.nextID += 1
            queue.bytes += payload.count
            defer { queue.isDrainScheduled = true }
            return (nil, !queue.isDrainScheduled)
        }
        if mustDrain { eventLoop.execute { self.drain() } }
        return refusal
    }

    /// Hands the next batch to the log; runs on the replica's loop.
    private func drain() {
        let (batch, hasMore) = queue.withLock { queue -> ([PendingProposal], Bool) in
            let batch: [PendingProposal]
            if queue.proposals.count <= limits.batchedProposals {
                batch = queue.proposals
                queue.proposals = []
                queue.bytes = 0
            } else {
                batch = Array(queue.proposals.prefix(limits.batchedProposals))
                queue.proposals.removeFirst(batch.count)
                queue.bytes -= batch.reduce(0) { $0 + $1.payload.count }
            }
            queue.isDrainScheduled = !queue.proposals.isEmpty
            return (batch, queue.isDrainScheduled)
        }
        if hasMore { eventLoop.execute { self.drain() } }
        let stamp = wallClock()
        writer.value.expect(batch)
        log.propose(
            batch.map { ProposedEntry(id: $0.id, stamp: stamp, payload: $0.payload) }
        )
    }

    // MARK: What the log says

    private func handle(_ event: LogEvent) {
        switch event {
        case .committed(let entries):
            let (changes, answers) = writer.value.apply(entries, now: eventLoop.now)
            publish(changes)
            answers.send()
        case .refused(let ids, let error):
            var answers = CompletionBatch()
            for id in ids {
                guard let proposal = writer.value.takeInFlight(id) else { continue }
                answers.append(proposal, .failure(error))
            }
            answers.send()
        case .leadershipChanged(let isLeader):
            writer.value.duties.leadershipChanged(
                isLeader: isLeader,
                sessions: writer.value.store.sessions().value.map(\.session),
                at: eventLoop.now
            )
        }
        scheduleDuties()
    }

    /// Makes the writer's state the current one and tells every loop what changed.
    ///
    /// The notices enter the inboxes before the generation moves, all under one lock: a reader that
    /// sees the new generation finds its notice, and one that handles the notice finds the new
    /// state.
    private func publish(_ changes: ChangeSet) {
        let store = writer.value.store
        let woken = publication.withLock { publication in
            let generation = publication.current.generation + 1
            let notice = ChangeNotice(generation: generation, changes: changes)
            let woken = publication.inboxes.filter { $0.append(notice) }
            publication.current = Published(store: store, generation: generation)
            publishedGeneration.store(generation, ordering: .releasing)
            return woken
        }
        for inbox in woken { inbox.wake() }
    }

    // MARK: The leader's duties

    private func scheduleDuties() {
        guard let deadline = writer.value.duties.takeUnscheduledDeadline() else { return }
        let timer = eventLoop.scheduleTask(deadline: deadline) { self.performDuties() }
        writer.value.duties.isScheduled(timer, at: deadline)
    }

    private func performDuties() {
        let store = writer.value.store
        let commands = writer.value.duties.due(at: eventLoop.now) { id in
            store.session(id).value != nil
        }
        for command in commands {
            propose(command, on: eventLoop) { _ in }
        }
        scheduleDuties()
    }
}
