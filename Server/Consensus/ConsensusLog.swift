import DurableLog
package import Logging
package import Model
package import NIOCore
package import RPC
import Raft
package import Replica
package import Snapshots
package import StateMachine
import Synchronization
import WriteAheadLog

/// The replicated log: runs the Raft core with a disk, a network, snapshots and a clock.
///
/// Everything but disk and snapshots happens on the replica's event loop, in turns: what came in
/// since the last turn is handed to the core together, and its effects are carried out in the order
/// that `RaftEffects` demands. The disk has a thread of its own.
///
/// A proposal goes to the leader, here or elsewhere, until it is known what became of it: each
/// carries the name under which the state machine lets it take effect once, so that it can be sent
/// again to any later leader. The outcome is learned from the log itself, on every server.
package final class ConsensusLog: ReplicatedLog {
    let settings: ConsensusSettings
    let eventLoop: any EventLoop
    private let logger: Logger
    private let opened: ConsensusParts
    private let running: NIOLoopBoundBox<Consensus?>

    package var gate: ReadGate { opened.gate }
    package var proposer: Proposer { opened.proposer }
    package var leadership: Leadership { opened.board.leadership }

    private init(
        settings: ConsensusSettings,
        eventLoop: any EventLoop,
        logger: Logger,
        opened: ConsensusParts
    ) {
        self.settings = settings
        self.eventLoop = eventLoop
        self.logger = logger
        self.opened = opened
        running = .makeEmptyBox(valueType: Consensus.self, eventLoop: eventLoop)
    }

    /// Opens the log and the snapshots in `settings.directory`, which is made when it is not there.
    ///
    /// - Parameters:
    ///   - settings: Of this server.
    ///   - eventLoop: The replica's.
    ///   - wallClock: For stamps.
    ///   - logger: For what a person should know.
    ///   - fail: Ends the process, after a disk has failed; gets the reason.
    /// - Returns: A log that is idle until the replica starts it.
    /// - Throws: `ConsensusError` with file, offset and remedy, and nothing was changed.
    package static func open(
        _ settings: ConsensusSettings,
        eventLoop: any EventLoop,
        wallClock: @escaping @Sendable () -> Timestamp,
        logger: Logger,
        fail: @escaping @Sendable (String) -> Never
    ) async throws -> ConsensusLog {
        try Directory.prepare(settings.directory)
        let archive = try SnapshotKeeper.open(
            settings.directory + "/snapshots",
            fail: fail
        )
        let disk = DiskThread(fail: fail)
        let directory = settings.directory + "/wal"
        let server = settings.id
        let newest = archive.newest
        let raftSettings = settings.raft
        let log: OpenedLog
        do {
            log = try await disk.start(
                open: { () throws(DurableLogError) in
                    try DurableLog.open(try Directory.storage(directory), server: server)
                },
                behind: newest?.stored,
                limits: raftSettings.limits
            )
        } catch let error as DurableLogError {
            throw ConsensusError("\(directory): \(error.message)")
        }
        let raft = Raft(
            settings: raftSettings,
            hardState: log.state.hardState,
            log: log.state.log,
            seed: UInt64.random(in: 0 ... .max),
            now: ReadGate.now
        )
        let parts = ConsensusParts(
            gate: ReadGate(),
            board: LeadershipBoard(settings: settings),
            proposer: Proposer(origin: settings.id.rawValue, start: UInt64.random(in: 1 ... .max)),
            wallClock: wallClock,
            disk: disk,
            archive: archive,
            raft: raft,
            cluster: log.cluster,
            start: log.state.start,
            marks: log.marks,
            fail: fail,
            machine: newest?.machine
        )
        return ConsensusLog(
            settings: settings,
            eventLoop: eventLoop,
            logger: logger,
            opened: parts
        )
    }

    // MARK: As the replica's log

    package func start(
        deliver: @escaping (ReplicationEvent) -> Void,
        capture: @escaping () -> StateMachine
    ) {
        let greeting = Greeting()
        let transport = PeerTransport(
            eventLoop: eventLoop,
            security: settings.security,
            logger: logger,
            identity: { greeting.make() }
        )
        let consensus = Consensus(
            settings: settings,
            parts: opened,
            eventLoop: eventLoop,
            logger: logger,
            transport: transport
        )
        greeting.consensus = consensus
        transport.delegate = consensus
        running.value = consensus
        consensus.start(from: opened.machine, deliver: deliver, capture: capture)
    }

    package func propose(_ entries: [ProposedEntry]) {
        running.value?.propose(entries)
    }

    package var isBusy: Bool {
        running.value?.isBusy ?? false
    }

    package func applied(through index: LogIndex) {
        gate.setApplied(index)
        running.value?.didApply(through: index)
    }

    package func awaitReadable(
        _ requirement: ReadRequirement,
        completion: @escaping (ProposalError?) -> Void
    ) {
        guard let consensus = running.value else { return completion(.noLeader) }
        consensus.awaitReadable(requirement, completion: completion)
    }

    package func ask(_ request: LeaderRequest, completion: @escaping (LeaderReply) -> Void) {
        guard let consensus = running.value else { return completion(.noLeader) }
        consensus.ask(request, completion: completion)
    }

    package func perform(_ request: LeaderRequest, completion: @escaping (LeaderReply) -> Void) {
        guard let consensus = running.value else { return completion(.noLeader) }
        consensus.perform(request, completion: completion)
    }

    package func stop(completion: @escaping () -> Void) {
        guard let consensus = running.value else { return completion() }
        running.value = nil
        consensus.stop(completion)
    }

    // MARK: The network and the end

    /// Listens for the other servers; throws when the address is taken.
    package func listen() async throws {
        let listening = eventLoop.flatSubmit { [self] () -> EventLoopFuture<Void> in
            guard let consensus = running.value else {
                return eventLoop.makeFailedFuture(ConsensusError("the log is not running"))
            }
            return consensus.listen()
        }
        try await listening.get()
    }

    /// Protects connections that begin from now on in another way.
    package func protect(by security: PeerSecurity) {
        eventLoop.execute { [self] in running.value?.transport.security = security }
    }

    /// What a snapshot of the state says of itself; on the replica's loop.
    package func metadata(of machine: StateMachine) -> SnapshotMetadata {
        guard let consensus = running.value else { preconditionFailure("the log is not running") }
        return consensus.metadata(of: machine)
    }

    /// Hands leadership over, when this server has it, and waits a little for the successor.
    package func stepDown() async {
        let promise = eventLoop.makePromise(of: Void.self)
        eventLoop.execute { [self] in
            guard let consensus = running.value else { return promise.succeed() }
            consensus.stepDown { promise.succeed() }
        }
        try? await promise.futureResult.get()  // It never fails.
    }
}

/// What a replicated log consists of, made before its event loop runs it.
struct ConsensusParts: Sendable {
    let gate: ReadGate
    let board: LeadershipBoard
    let proposer: Proposer
    let wallClock: @Sendable () -> Timestamp
    let disk: DiskThread
    let archive: SnapshotKeeper
    let raft: Raft
    let cluster: UInt128
    /// How the disk stood when the log was opened.
    let start: ServerStart
    /// What the disk remembers of the other servers.
    let marks: [NodeID: ServerMark]
    let fail: @Sendable (String) -> Never
    /// The state of the newest snapshot; nil without one.
    let machine: StateMachine?
}

/// What the transport asks for this server's greeting, before there is anything to ask.
private final class Greeting {
    weak var consensus: Consensus?

    func make() -> ServerGreeting {
        guard let consensus else { preconditionFailure("a transport without its owner") }
        return consensus.ownGreeting
    }
}

/// Why a server cannot take part in its log, in words for the person who started it.
package struct ConsensusError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}

extension ConsensusSettings {
    /// What the core is told.
    var raft: RaftSettings {
        var limits = RaftLimits()
        limits.entriesPerApply = 1024
        limits.proposalBytes = 8 << 20
        return RaftSettings(id: id, timing: timing, limits: limits)
    }
}
