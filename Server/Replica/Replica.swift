package import Model
package import NIOCore
package import StateMachine
package import StateStore
import Synchronization

/// One server's copy of the registry: proposals in, published snapshots, answers and wake-ups out.
///
/// A proposal is encoded by its proposer's thread, queued, and handed to the log in one batch per
/// turn of the replica's event loop. What the log commits is applied there, published as one
/// immutable snapshot per batch, and only then answered; so whoever got an answer finds its write
/// in `current`. Limits: `ReplicaLimits`.
package final class Replica: Sendable {
    struct Queue {
        var proposals: [PendingProposal] = []
        var bytes = 0
        var nextID: UInt64 = 1
        var isDrainScheduled = false
        var isStopped = false
    }

    struct Publication {
        /// The state of `generation`; nil while nobody has asked for it.
        ///
        /// Then `machine` has it, or a newer one.
        var current: Published?
        var generation: UInt64 = 0
        /// For how many commits more a state is prepared before anyone asks for it.
        var eagerCommits = 0
        var inboxes: [WatchInbox] = []
    }

    /// What waits on the replica's loop.
    struct Intake {
        /// Whether an archive is being restored.
        var isPaused = false
        /// What the log told meanwhile.
        var events: [ReplicationEvent] = []
        /// Whether queued proposals wait until the log is ready.
        var isDrainDeferred = false
    }

    /// Reads a user's archive, on a thread that may take its time; throws what is wrong with it.
    package typealias ArchiveReader = @Sendable (_ archive: [UInt8]) throws -> StateStore

    /// Where commands are applied; nothing else writes the state.
    package let eventLoop: any EventLoop
    let log: any ReplicatedLog
    let limits: ReplicaLimits
    let wallClock: @Sendable () -> Timestamp
    let readArchive: ArchiveReader
    let queue = Mutex(Queue())
    let publication: Mutex<Publication>
    let publishedGeneration = Atomic<UInt64>(0)
    /// What was applied; changed on the event loop only, and copied from anywhere.
    let machine: Mutex<StateMachine>
    let writer: NIOLoopBoundBox<Writer>
    let intake: NIOLoopBoundBox<Intake>

    /// Makes a replica that is idle until `start()`.
    ///
    /// - Parameters:
    ///   - eventLoop: applies the log; better one that serves no connections.
    ///   - log: where proposals go.
    ///   - limits: of the queues before the log.
    ///   - storeLimits: of the state; the same on every server.
    ///   - readArchive: reads what `restore` is given.
    ///   - wallClock: read once per batch of proposals.
    package init(
        eventLoop: any EventLoop,
        log: any ReplicatedLog,
        limits: ReplicaLimits = ReplicaLimits(),
        storeLimits: StateStoreLimits = StateStoreLimits(),
        readArchive: @escaping ArchiveReader = { _ in throw ArchivesNotRead() },
        wallClock: @escaping @Sendable () -> Timestamp
    ) {
        self.eventLoop = eventLoop
        self.log = log
        self.limits = limits
        self.wallClock = wallClock
        self.readArchive = readArchive
        let machine = StateMachine(store: StateStore(limits: storeLimits))
        self.machine = Mutex(machine)
        publication = Mutex(
            Publication(current: Published(store: machine.store, generation: 0))
        )
        writer = .makeBoxSendingValue(
            Writer(proposer: log.proposer, limits: limits),
            as: Writer.self,
            eventLoop: eventLoop
        )
        intake = .makeBoxSendingValue(Intake(), as: Intake.self, eventLoop: eventLoop)
    }

    /// Starts the log and the leader's duties.
    package func start() {
        eventLoop.execute {
            self.log.start(
                deliver: { self.receive($0) },
                capture: { self.machine.withLock { $0 } }
            )
        }
    }

    /// Refuses what is still queued and everything that follows; ends the log and the timers.
    package func stop() async {
        let waiting = queue.withLock { queue in
            queue.isStopped = true
            defer { queue.proposals = [] }
            return queue.proposals
        }
        let error = ProposalError(.stopped, "server is stopping")
        let ended = eventLoop.makePromise(of: Void.self)
        eventLoop.execute {
            var answers = CompletionBatch()
            for proposal in waiting + self.writer.value.takeAll() {
                answers.append(proposal, .failure(error))
            }
            self.writer.value.duties.cancel()
            answers.send()
            self.log.stop { ended.succeed() }
        }
        try? await ended.futureResult.get()  // It never fails.
    }

    // MARK: Reading

    /// The newest published state; has every write that was answered here.
    ///
    /// One short lock. Where nobody had asked since some commits, it may wait for the batch that is
    /// being applied.
    package var current: Published {
        let (current, generation) = publication.withLock { publication in
            publication.eagerCommits = limits.eagerCommits
            return (publication.current, publication.generation)
        }
        if let current { return current }
        // At least the state of that generation. What is newer in it wakes its watchers in vain.
        let store = machine.withLock { $0.store }
        return publication.withLock { publication in
            if let current = publication.current, current.generation >= generation {
                return current
            }
            let made = Published(store: store, generation: generation)
            if publication.generation == generation { publication.current = made }
            return made
        }
    }

    /// The generation of `current`, for one atomic load.
    package var generation: UInt64 {
        publishedGeneration.load(ordering: .acquiring)
    }

    /// Who leads, and the servers of the log.
    package var leadership: Leadership {
        log.leadership
    }

    /// True when what `current` gives next has every write that was acknowledged anywhere; costs no
    /// lock.
    package var isCurrentCertain: Bool {
        log.gate.isOpen
    }

    /// Calls back on `loop` once `current` satisfies a read that asks now, or cannot be known to.
    package func awaitReadable(
        _ requirement: ReadRequirement,
        on loop: any EventLoop,
        _ completion: @escaping @Sendable (ProposalError?) -> Void
    ) {
        eventLoop.execute {
            self.log.awaitReadable(requirement) { error in
                loop.execute { completion(error) }
            }
        }
    }

    /// Makes the watches of one event loop; call once per loop, on it, and keep the result there.
    package func makeWatchRegistry(on loop: any EventLoop) -> WatchRegistry {
        loop.preconditionInEventLoop()
        let inbox = WatchInbox(loop: loop, limit: limits.unreadChanges)
        let registry = WatchRegistry(replica: self, inbox: inbox)
        inbox.attach(registry)
        publication.withLock { publication in
            inbox.begin(at: publication.generation)
            publication.inboxes.append(inbox)
        }
        return registry
    }

    /// What was applied until now; on the replica's loop.
    var applied: StateStore {
        machine.withLock { $0.store }
    }

    /// Gives the state machine as of now, on the replica's loop.
    package func capture(_ body: @escaping @Sendable (StateMachine) -> Void) {
        eventLoop.execute { body(self.machine.withLock { $0 }) }
    }

    // MARK: Asking the leader

    /// Has the leader do something; `completion` runs on `loop`.
    package func ask(
        _ request: LeaderRequest,
        on loop: any EventLoop,
        _ completion: @escaping @Sendable (LeaderReply) -> Void
    ) {
        eventLoop.execute {
            let answer: @Sendable (LeaderReply) -> Void = { reply in
                loop.execute { completion(reply) }
            }
            if self.log.leadership.isLeader {
                self.perform(request, answer)
            } else {
                self.log.ask(request, completion: answer)
            }
        }
    }

    /// Does as the leader what was asked for here or by another server.
    func perform(
        _ request: LeaderRequest,
        _ completion: @escaping @Sendable (LeaderReply) -> Void
    ) {
        guard case .renewSession(let id) = request else {
            return log.perform(request, completion: completion)
        }
        let asked = eventLoop.now
        // Who has been deposed without knowing it must not promise time that the successor, which
        // counts from its election, does not give.
        log.awaitReadable(.current) { error in
            guard error == nil, self.log.leadership.isLeader else { return completion(.noLeader) }
            guard self.applied.session(id).value != nil else { return completion(.notFound) }
            self.writer.value.duties.renew(session: id, at: asked)
            self.scheduleDuties()
            completion(.done)
        }
    }
}

/// What a replica without a reader of archives says.
package struct ArchivesNotRead: Error, CustomStringConvertible {
    package let description = "this server does not restore archives"

    package init() {}
}
