import DequeModule
import Logging
import Model
import NIOCore
import RPC
import Raft
import Replica
import StateMachine
import Synchronization

/// The shell of the Raft core on one event loop; see `ConsensusLog`.
///
/// Runs in turns: inputs gather in `inbox`, `turn` hands them to the core and carries out the
/// effects. Never waits for anything.
final class Consensus {
    let settings: ConsensusSettings
    let eventLoop: any EventLoop
    let logger: Logger
    let gate: ReadGate
    let board: LeadershipBoard
    let proposer: Proposer
    let wallClock: @Sendable () -> Timestamp
    let disk: DiskThread
    let archive: SnapshotKeeper
    /// How this server's disk stood when it started.
    let start: ServerStart
    /// Says what is wrong and ends the process.
    let fail: @Sendable (String) -> Never
    let transport: PeerTransport

    var raft: Raft
    /// The cluster; 0 as long as this server belongs to none.
    var cluster: UInt128
    var deliver: (ReplicationEvent) -> Void = { _ in }
    var capture: () -> StateMachine? = { nil }

    // The turn.
    var inbox: [RaftInput] = []
    var isTurnScheduled = false
    var isStopped = false
    var timer: (task: Scheduled<Void>, deadline: Instant)?
    /// Messages that wait until a write is on disk, in order.
    var held: Deque<(sequence: UInt64, messages: [RaftMessage])> = []
    /// Who led in which term at the end of the last turn.
    var lastLeader: NodeID?
    var lastTerm = Term.zero
    var wasLeader = false
    var lastConfiguration: PlacedConfiguration?

    /// How many writes the disk has been given and has not done.
    var writesUnderWay = 0
    /// Since when there was always one.
    var busySince = Instant(nanoseconds: 0)

    // Applying.
    var steps: Deque<ApplyStep> = []
    var isReadingBack = false
    /// Received snapshots that the core may ask to restore, by their last index.
    var received: [LogIndex: StateMachine] = [:]
    /// What was applied since the last snapshot.
    var appliedBytes = 0
    /// How far the replica's state is.
    var appliedIndex: LogIndex
    var lastSnapshotAt = ReadGate.now
    var lastSnapshotBytes = 0
    var isTakingSnapshot = false
    /// The snapshots that followers were sent in this term, by their last entries.
    var outgoing: [NodeID: LogIndex] = [:]

    /// Whether the disk takes more; a leader without room takes no writes.
    var hasRoom = true

    // Requests.
    var nextToken: UInt64 = 1
    var owners: [RequestToken: RequestOwner] = [:]
    var proposals = ConsecutiveTable<OwnProposal>()
    /// What the core is given when the disk has written what it was given before.
    var gathered: [Proposal] = []
    var gatheredBytes = 0
    var remoteRequests: Set<RequestID> = []
    var waitingReads: [WaitingRead] = []
    var asks: [UInt64: PendingAsk] = [:]
    var sweep: RepeatedTask?

    // Other servers.
    var greetings: [NodeID: ServerGreeting] = [:]
    /// Servers of the cluster that have dialled this one: they may be members that its log does not
    /// name yet, and must be answered.
    var callers: Set<NodeID> = []
    var book: MarkBook
    var joining = JoinState()
    var leadership = LeaderWork()

    init(
        settings: ConsensusSettings,
        parts: ConsensusParts,
        eventLoop: any EventLoop,
        logger: Logger,
        transport: PeerTransport
    ) {
        self.settings = settings
        self.eventLoop = eventLoop
        self.logger = logger
        self.transport = transport
        gate = parts.gate
        board = parts.board
        proposer = parts.proposer
        wallClock = parts.wallClock
        disk = parts.disk
        archive = parts.archive
        start = parts.start
        fail = parts.fail
        book = MarkBook(parts.marks)
        raft = parts.raft
        cluster = parts.cluster
        appliedIndex = parts.raft.log.applied
    }

    /// A closure that comes back to this object from any thread.
    func callback<Value: Sendable>(
        _ body: @escaping @Sendable (Consensus, Value) -> Void
    ) -> @Sendable (Value) -> Void {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let eventLoop = eventLoop
        return { value in
            eventLoop.execute { body(bound.value, value) }
        }
    }

    // MARK: The turn

    /// Hands an input to the core in the next turn.
    func input(_ input: RaftInput) {
        inbox.append(input)
        scheduleTurn()
    }

    func scheduleTurn() {
        guard !isTurnScheduled, !isStopped else { return }
        isTurnScheduled = true
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { bound.value.turn() }
    }

    func turn() {
        isTurnScheduled = false
        guard !isStopped else { return }
        let inputs = inbox
        inbox.removeAll(keepingCapacity: true)
        var effects = RaftEffects()
        raft.handle(inputs, now: ReadGate.now, into: &effects)
        // One copy for all questions of this turn: each to the property would make its own.
        let raft = raft
        perform(effects, of: raft)
        finishTurn(raft)
    }

    /// Carries out effects in the order of their contract.
    private func perform(_ effects: RaftEffects, of raft: Raft) {
        // Before anyone can learn of a commit, reads here must know of it.
        gate.setCommitted(raft.log.commit)
        gate.setLease(raft.isLeader ? raft.leaseEnd : nil)
        if !effects.writes.isEmpty {
            let sequence = effects.sequence
            let persisted = callback { (consensus, _: Void) in consensus.didPersist(sequence) }
            let commit = raft.log.commit
            if writesUnderWay == 0 { busySince = ReadGate.now }
            writesUnderWay += 1
            disk.enqueue(.write(effects.writes, commit: commit, done: { persisted(()) }))
        }
        for message in effects.sendNow { transport.send(.raft(message), to: message.to) }
        if !effects.sendAfterPersist.isEmpty {
            held.append((effects.sequence, effects.sendAfterPersist))
        }
        for read in effects.logReads { readBack(read) }
        for transfer in effects.snapshots { send(transfer) }
        for note in effects.notes { report(note) }
        transport.flush()
        for step in effects.apply { enqueue(step) }
        for answer in effects.answers { handle(answer) }
    }

    private func didPersist(_ sequence: UInt64) {
        while let first = held.first, first.sequence <= sequence {
            for message in first.messages { transport.send(.raft(message), to: message.to) }
            held.removeFirst()
        }
        transport.flush()
        input(.persisted(sequence: sequence))
        writesUnderWay -= 1
        if writesUnderWay == 0 { endGathering() }
    }

    private func finishTurn(_ raft: Raft) {
        noteConfiguration(of: raft)
        noteLeader(of: raft)
        board.post(raft, names: greetings)
        takeSnapshotWhenDue()
        scheduleTimer(for: raft)
    }

    private func scheduleTimer(for raft: Raft) {
        guard let deadline = raft.nextDeadline else {
            timer?.task.cancel()
            timer = nil
            return
        }
        if let timer, timer.deadline <= deadline { return }
        timer?.task.cancel()
        let delay = deadline.since(ReadGate.now)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let task = eventLoop.scheduleTask(in: .nanoseconds(delay.rawValue)) {
            bound.value.timer = nil
            bound.value.input(.timer)
        }
        timer = (task, deadline)
    }

    /// Entries for a follower that lags, from disk.
    private func readBack(_ read: LogRead) {
        let found = callback { (consensus, entries: [Entry]) in
            consensus.input(.entriesRead(read, entries))
        }
        disk.enqueue(.read(read.range, maxBytes: read.bytesLimit, done: found))
    }

    private func report(_ note: RaftNote) {
        switch note {
        case .becameFollower(let term, let leader):
            let leading = leader.map { name(of: $0) } ?? "unknown"
            logger.info("entering follower state: term=\(term.rawValue) leader=\(leading)")
        case .becamePreCandidate(let term):
            logger.debug("asking for support: term=\(term.rawValue)")
        case .becameCandidate(let term, let isTransfer):
            logger.info("starting election: term=\(term.rawValue) transfer=\(isTransfer)")
        case .becameLeader(let term):
            logger.info("cluster leadership acquired: term=\(term.rawValue)")
        case .lostQuorum(let term):
            logger.warning("no answer from a majority, stepping down: term=\(term.rawValue)")
        case .configurationChanged(let placed):
            let members = placed.configuration.members
                .map { "\(name(of: $0.id))=\($0.address)(\($0.role))" }
            let list = members.joined(separator: " ")
            logger.info("servers of the log: index=\(placed.index.rawValue) \(list)")
        case .implausible(let peer):
            logger.warning("ignored a message no server should send: from=\(name(of: peer))")
        case .contradictsCommitted(let peer, let position):
            logger.error(
                """
                \(name(of: peer)) contradicts entry \(position.index.rawValue), which is \
                committed here: one of the two has the data of another cluster or a damaged log
                """
            )
        case .transferBegan(let peer):
            logger.info("handing leadership over: to=\(name(of: peer))")
        case .transferAborted(let peer):
            logger.warning("handing leadership over failed: to=\(name(of: peer))")
        }
    }

    /// What a person calls a server: its node's name, or its id when that is not known.
    func name(of id: NodeID) -> String {
        if id == settings.id { return settings.nodeName }
        guard let name = greetings[id]?.nodeName, !name.isEmpty else { return ServerID.text(id) }
        return name
    }
}
