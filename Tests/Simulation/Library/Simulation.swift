import HeapModule
import Model
import Raft

/// A whole cluster with its clients, disks, clocks and network, in one thread, from one seed.
///
/// First *safety*: any fault at any time, with checkers after every step. Then *liveness*:
/// everything heals, and the cluster must elect, serve and converge.
package final class Simulation {
    package let options: SimulationOptions
    var random: RandomSource
    var now = Instant(nanoseconds: 0)
    var nodes: [NodeID: Node] = [:]
    var network: SimulatedNetwork
    var checker = Checker()
    var history = History()
    var clients: [Client] = []
    var phase = Phase.faulty
    var nextOperation: UInt64 = 0
    /// Where each operation stands in the log.
    var appliedAt: [UInt64: LogIndex] = [:]
    package private(set) var trace = Digest()
    package private(set) var steps = 0
    // In a simulation of whole servers:
    var registryHistory = RegistryHistory()
    var sessions: [String] = []
    var proposals: UInt64 = 0
    var successors: Set<NodeID> = []
    var counts = WholeCounts()
    private var stateDigests: [LogIndex: Digest] = [:]
    private var queue = Heap<Scheduled>()
    private var scheduled: UInt64 = 0
    /// Prints every step, to look into a seed.
    package var isVerbose = false

    enum Phase: Hashable {
        case faulty
        /// No more faults; clients go on until they were answered.
        case healed(since: Instant, answered: Int)
        /// No more clients either.
        case quiet(since: Instant)
    }

    /// One server and what is around it.
    struct Node {
        var server: SimulatedServer?
        /// The disk while the server is down.
        var disk: SimulatedDisk?
        var clock: SimulatedClock
        /// Counts the starts, so that what belonged to an earlier one is recognised.
        var start = 0
        var pausedUntil = Instant(nanoseconds: 0)
        var isDiskBusy = false
        var timerAt: Instant?
        /// Requests that this server has not answered.
        var waiting: [RequestToken: (Operation, client: Int)] = [:]
        /// When it last heard the leader that it follows, by its own clock.
        var heardLeader: Instant?
        /// The terms in which a leader told it to campaign.
        var toldToCampaign: Set<Term> = []
        /// An old state of its disk, to be restored by accident.
        var image: SimulatedDisk.Contents?
        var shell = ServerShell()
        var diskImage: DiskImage?
        /// Whether its disk is damaged where it was acknowledged.
        var isRotten = false
        /// The configuration it had when it crashed, and when: it may be on its way to the others
        /// without being on its own disk.
        var lastKnown: (configuration: ClusterConfiguration, at: Instant)?
        /// What was on the old image of its disk that it runs on; nil when it runs on its own.
        var oldContent: ServerShell.Heard?

        var isOld: Bool { oldContent != nil }
    }

    enum Event {
        case message(RaftMessage)
        case snapshot(SimulatedDisk.Snapshot, from: NodeID, to: NodeID, term: Term)
        case snapshotReport(to: NodeID, about: NodeID, delivered: Bool)
        case timer(NodeID, start: Int)
        case disk(NodeID, start: Int)
        case restart(NodeID)
        case fault
        case request(NodeID, Operation, client: Int)
        case answer(client: Int, Reply)
        case next(client: Int)
        case giveUp(client: Int, operation: UInt64)
        // Whole servers.
        case letter(RaftMessage, Greeting)
        case letterSnapshot(SimulatedDisk.Snapshot, from: NodeID, to: NodeID, term: Term, Greeting)
        case forwarded([UInt8], from: NodeID, to: NodeID, Greeting)
        case registryRequest(NodeID, RegistryOperation, client: Int)
        case reply(Int, RegistryReply)
        case resend(NodeID, start: Int)
        case abandon(NodeID, start: Int, number: UInt64)
        case sessions(NodeID)
        /// A server tells all others of its disk.
        case tell(NodeID)
        case standing(ServerShell.Heard, from: NodeID, to: NodeID, Greeting)
        case retire(NodeID)
        case autopilot
    }

    private struct Scheduled: Comparable {
        var time: Instant
        var order: UInt64
        var event: Event

        static func < (left: Scheduled, right: Scheduled) -> Bool {
            left.time != right.time ? left.time < right.time : left.order < right.order
        }

        static func == (left: Scheduled, right: Scheduled) -> Bool {
            left.order == right.order
        }
    }

    package init(_ options: SimulationOptions) {
        self.options = options
        random = RandomSource(seed: options.seed)
        network = SimulatedNetwork(options)
        let voters = (1...options.voters).map { ClusterMember(id: .number($0), role: .voter) }
        for number in 1...(options.voters + options.joiners) {
            let members = number <= options.voters ? voters : []
            addNode(.number(number), members: members)
        }
        if options.isWhole { after(.milliseconds(400), .autopilot) }
        if options.bootstrapsTwice {
            let others = [ClusterMember(id: .number(9), role: .voter)] + voters.dropFirst()
            addNode(.number(9), members: others, cluster: Self.otherClusterID)
        }
        for client in 0..<options.clients {
            clients.append(Client(server: .number(1)))
            after(.milliseconds(Int64(client) + 1), .next(client: client))
        }
        after(options.faultInterval, .fault)
    }

    /// How many times a server became leader.
    package var leaderCount: Int { checker.leaderCount }
    /// How many operations were answered.
    package var answeredCount: Int { history.answered + registryHistory.answered }
    /// What happened to whole servers.
    package var wholeCounts: WholeCounts {
        var counts = counts
        counts.duplicates = registryHistory.duplicates
        return counts
    }

    // MARK: The loop

    /// Runs both phases; returns what did not hold, if anything.
    package func run() -> Violation? {
        let end = options.faultyTime.rawValue + options.healedTime.rawValue
        while let next = queue.popMin() {
            now = next.time
            handle(next.event)
            if let (property, message) = checker.violation {
                return violation(property, message)
            }
            if phase == .faulty, now.nanoseconds >= UInt64(options.faultyTime.rawValue) { heal() }
            if hasConverged() { return finalVerdict() }
            if steps > options.stepLimit { return violation(.liveness, "endless talk") }
            if now.nanoseconds > UInt64(end) { return stuck() }
        }
        return stuck()
    }

    private func finalVerdict() -> Violation? {
        guard !options.isWhole else {
            guard let number = registryHistory.unexplainedInstances.first else { return nil }
            return violation(.linearizability, "no order explains instance \(number)")
        }
        let applied = Set(appliedAt.keys)
        guard let key = history.unexplainedKeys(applied: applied).first else { return nil }
        return violation(.linearizability, "no order explains key \(key)")
    }

    private func stuck() -> Violation {
        if isVerbose { print(summary) }
        if case .quiet = phase { return violation(.convergence, "servers still differ") }
        return violation(.liveness, "no progress after the faults")
    }

    private func violation(_ property: Violation.Property, _ message: String) -> Violation {
        Violation(property: property, message: message, seed: options.seed, time: now)
    }

    func after(_ delay: Nanoseconds, _ event: Event) {
        at(now.advanced(by: delay), event)
    }

    func at(_ time: Instant, _ event: Event) {
        scheduled += 1
        queue.insert(Scheduled(time: max(time, now), order: scheduled, event: event))
    }

    private func handle(_ event: Event) {
        trace.mix(now.nanoseconds)
        switch event {
        case .message(let message):
            input(message.to, [.message(message)], unlessPaused: event)
        case .snapshot(let snapshot, let from, let to, let term):
            deliver(snapshot, from: from, to: to, term: term, event)
        case .snapshotReport(let leader, let peer, let delivered):
            let report = RaftInput.snapshotSent(to: peer, delivered: delivered)
            input(leader, [report], unlessPaused: event)
        case .timer(let id, let start):
            guard nodes[id]?.start == start else { return }
            nodes[id]?.timerAt = nil
            input(id, [.timer], unlessPaused: event)
        case .disk(let id, let start):
            guard nodes[id]?.start == start else { return }
            finishSync(id, event)
        case .restart(let id): restart(id)
        case .fault: if phase == .faulty { causeFault() }
        case .request(let id, let operation, let client):
            request(operation, of: client, at: id, event)
        case .answer(let client, let reply): receive(reply, client: client)
        case .next(let client): nextOperation(of: client)
        case .giveUp(let client, let operation): giveUp(operation, client: client)
        default: handleWhole(event)
        }
    }

    // MARK: Servers

    /// The time by a server's own clock.
    func localTime(_ id: NodeID) -> Instant {
        nodes[id]?.clock.local(now) ?? now
    }

    /// Puts an event off while its server is paused; true when it was.
    func isPaused(_ id: NodeID, _ event: Event) -> Bool {
        guard let until = nodes[id]?.pausedUntil, now < until else { return false }
        // What waited comes in any order.
        let extra = Nanoseconds(rawValue: Int64.random(in: 0...1_000_000, using: &random))
        at(until.advanced(by: extra), event)
        return true
    }

    func input(_ id: NodeID, _ inputs: [RaftInput], unlessPaused event: Event) {
        guard nodes[id]?.server != nil, !isPaused(id, event) else { return }
        let local = localTime(id)
        guard let output = nodes[id]?.server?.step(inputs, now: local) else { return }
        if case .message(let message)? = inputs.first { noteLeader(message) }
        finishStep(id, output)
    }

    private func finishSync(_ id: NodeID, _ event: Event) {
        guard nodes[id]?.server != nil, !isPaused(id, event) else { return }
        nodes[id]?.isDiskBusy = false
        if chance(options.crashAtWriteChance), phase == .faulty {
            crash(id)
            return
        }
        let local = localTime(id)
        let finished = nodes[id]?.server?.finishSync(now: local)
        if let failure = nodes[id]?.server?.disk.failure {
            end(id, because: failure)
            return
        }
        guard let (_, output) = finished else { return }
        finishStep(id, output)
        beginSync(id)
    }

    func beginSync(_ id: NodeID) {
        guard let node = nodes[id], !node.isDiskBusy, node.server?.disk.pending.isEmpty == false
        else { return }
        nodes[id]?.isDiskBusy = true
        troubleDisk(id)
        let isSlow = chance(options.slowSyncChance) && phase == .faulty
        let least = max(1, options.syncTime.rawValue / 4)
        let most = options.syncTime.rawValue * (isSlow ? 60 : 1)
        let time = Int64.random(in: least...max(least, most), using: &random)
        after(Nanoseconds(rawValue: time), .disk(id, start: node.start))
    }

    /// Runs what a step asks of the world, after the checkers have seen it.
    func finishStep(_ id: NodeID, _ output: SimulatedServer.Output) {
        guard let server = nodes[id]?.server else { return }
        steps += 1
        mixIntoTrace(server, output)
        checkLoyalty(id, output)
        checker.observe(server, output) { id in
            guard nodes[id]?.isOld != true else { return nil }
            return nodes[id]?.server?.disk ?? nodes[id]?.disk
        }
        guard checker.violation == nil else { return }
        if options.demandsStableLeader, checker.leaderCount > 1 {
            checker.report(.liveness, "a second leader in fair weather")
        }
        noteApplied(output)
        if options.isWhole {
            noteWhole(id, output)
            guard nodes[id]?.server != nil, checker.violation == nil else { return }
        }
        if output.hasWritten, phase == .faulty, chance(options.crashAtWriteChance) {
            crash(id)
            return
        }
        for message in output.messages { send(message) }
        for transfer in output.snapshots { send(transfer, from: id) }
        for answer in output.answers where options.isWhole { self.answer(answer, at: id) }
        for answer in output.answers where !options.isWhole {
            take(answer, of: id, applied: output.applied)
        }
        beginSync(id)
        takeSnapshotIfDue(id)
        schedule(id)
        if !options.isWhole, nodes[id]?.image == nil, chance(30) {
            nodes[id]?.image = server.disk.durable
        }
        if options.isWhole { copyDisk(of: id) }
    }

    /// Sets the server's one timer.
    func schedule(_ id: NodeID) {
        guard let node = nodes[id], let deadline = node.server?.raft.nextDeadline,
            deadline.nanoseconds < 1 << 60
        else { return }
        let time = node.clock.global(deadline)
        if let known = node.timerAt, known <= time, known > now { return }
        nodes[id]?.timerAt = time
        at(time, .timer(id, start: node.start))
    }

    private func takeSnapshotIfDue(_ id: NodeID) {
        guard let server = nodes[id]?.server else { return }
        let log = server.raft.log
        let keepsNothing = options.environment.contains(.keepsNoTrail)
        let every = keepsNothing ? 5 : options.snapshotEvery
        guard log.applied.rawValue >= log.snapshot.index.rawValue + every else { return }
        let trailing = keepsNothing ? 0 : options.trailing
        let local = localTime(id)
        if let output = nodes[id]?.server?.takeSnapshot(trailing: trailing, now: local) {
            finishStep(id, output)
        }
    }

    // MARK: Whole servers

    private func handleWhole(_ event: Event) {
        switch event {
        case .letter(let message, let greeting):
            guard !isPaused(message.to, event), admits(message.to, from: message.from, greeting)
            else { return }
            input(message.to, [.message(message)], unlessPaused: event)
        case .letterSnapshot(let snapshot, let from, let to, let term, let greeting):
            guard !isPaused(to, event) else { return }
            guard admits(to, from: from, greeting) else {
                // The leader waits for word of every transfer that it began.
                after(options.delay, .snapshotReport(to: from, about: to, delivered: false))
                return
            }
            deliver(snapshot, from: from, to: to, term: term, event)
        case .forwarded(let entry, let from, let to, let greeting):
            guard !isPaused(to, event), admits(to, from: from, greeting) else { return }
            propose(entry, at: to)
        case .registryRequest(let id, let operation, let client):
            registryRequest(operation, of: client, at: id, event)
        case .reply(let client, let reply): receive(reply, client: client)
        case .resend(let id, let start):
            guard nodes[id]?.start == start, nodes[id]?.server != nil, !isPaused(id, event) else {
                return
            }
            resend(id)
        case .abandon(let id, let start, let number):
            guard nodes[id]?.start == start, nodes[id]?.server != nil else { return }
            abandon(number, at: id)
        case .sessions(let id):
            guard nodes[id] != nil, !isPaused(id, event) else { return }
            expireSessions(id)
        case .tell(let id):
            guard nodes[id] != nil, !isPaused(id, event) else { return }
            tellStanding(id)
        case .standing(let heard, let from, let to, let greeting):
            guard !isPaused(to, event), admits(to, from: from, greeting) else { return }
            hear(heard, of: from, at: to)
        case .retire(let id): retire(id)
        case .autopilot: runAutopilot()
        default: break
        }
    }

    /// Checks and answers what the production state machine did.
    private func noteWhole(_ id: NodeID, _ output: SimulatedServer.Output) {
        if let unreadable = output.unreadable {
            checker.report(.stateMachineSafety, "an entry cannot be applied: \(unreadable)")
        }
        noteEffects(output.effects, at: id)
        if let failure = output.failure { return end(id, because: failure) }
        notice(leaderOf: id)
        guard let registry = nodes[id]?.server?.registry, !output.effects.isEmpty else { return }
        guard registry.applied.rawValue.isMultiple(of: 8) || phase != .faulty else { return }
        let digest = registry.digest
        if let known = stateDigests[registry.applied], known != digest {
            checker.report(
                .stateMachineSafety,
                "registries differ at \(registry.applied.rawValue)"
            )
        }
        stateDigests[registry.applied] = digest
    }

    // MARK: Watching

    private func mixIntoTrace(_ server: SimulatedServer, _ output: SimulatedServer.Output) {
        trace.mix(UInt64(truncatingIfNeeded: server.id.rawValue))
        trace.mix(server.raft.term.rawValue)
        trace.mix(server.raft.log.lastIndex.rawValue)
        trace.mix(server.raft.log.commit.rawValue)
        trace.mix(UInt64(output.messages.count))
        trace.mix(server.machine.digest.value)
        guard isVerbose else { return }
        for note in output.notes {
            if case .configurationChanged(let placed) = note {
                let voters = placed.configuration.voters.map(\.rawValue)
                let old = placed.configuration.outgoing.map(\.id.rawValue)
                print(
                    now.nanoseconds / 1_000_000,
                    "server",
                    server.id.rawValue,
                    "voters",
                    voters,
                    old
                )
                continue
            }
            print(now.nanoseconds / 1_000_000, "server", server.id.rawValue, note)
        }
    }

    /// - Source: Raft §5.1: a server that sees a larger term takes it over.
    private func checkTerm(_ message: RaftMessage) {
        switch message.body {
        case .preVoteRequest, .preVoteResponse(granted: true), .voteRequest: return
        default: break
        }
        if let raft = nodes[message.to]?.server?.raft, raft.term < message.term {
            checker.report(.followsTerms, "server \(raft.id.rawValue) stays behind")
        }
    }

    private func noteLeader(_ message: RaftMessage) {
        checkTerm(message)
        if message.body == .timeoutNow { nodes[message.to]?.toldToCampaign.insert(message.term) }
        switch message.body {
        case .append, .heartbeat: break
        default: return
        }
        guard let raft = nodes[message.to]?.server?.raft, raft.term == message.term,
            raft.leader == message.from
        else { return }
        let local = localTime(message.to)
        nodes[message.to]?.heardLeader = local
    }

    /// - Source: dissertation §4.2.3: who hears a leader helps nobody to replace it.
    private func checkLoyalty(_ id: NodeID, _ output: SimulatedServer.Output) {
        guard let node = nodes[id] else { return }
        for note in output.notes {
            guard case .becameCandidate(let term, isTransfer: true) = note else { continue }
            let before = Term(rawValue: term.rawValue - 1)
            if !node.toldToCampaign.contains(before) {
                checker.report(.loyalty, "server \(id.rawValue) campaigns as if it was told to")
            }
        }
        guard let heard = node.heardLeader else { return }
        for message in output.messages {
            guard case .preVoteResponse(granted: true) = message.body else { continue }
            if localTime(id).since(heard) < options.timing.electionTimeout {
                checker.report(.loyalty, "server \(id.rawValue) helps to replace its leader")
            }
        }
    }

    private func noteApplied(_ output: SimulatedServer.Output) {
        for (index, operation, _) in output.applied {
            if let known = appliedAt[operation.id], known != index {
                checker.report(.stateMachineSafety, "operation \(operation.id) applied twice")
            }
            appliedAt[operation.id] = index
            if history.isRefused(operation.id) {
                checker.report(.refusedHasNoEffect, "operation \(operation.id) was refused")
            }
        }
    }

    /// One line per server.
    private var summary: String {
        nodes.keys.sorted().map { id in
            guard let server = nodes[id]?.server else { return "\(id.rawValue) is down" }
            let (raft, log) = (server.raft, server.raft.log)
            var line = "\(id.rawValue) \(raft.role) term \(raft.term.rawValue)"
            line += " leader \(raft.leader?.rawValue ?? 0) base \(log.base.index.rawValue)"
            line += " stable \(log.stable.rawValue) last \(log.lastIndex.rawValue)"
            line += " commit \(log.commit.rawValue) applied \(log.applied.rawValue)"
            line += " voters \(raft.configuration.voters.map(\.rawValue))"
            for follower in raft.leading.followers {
                line += " [\(follower.id.rawValue) \(follower.state)"
                line += " match \(follower.match.rawValue) next \(follower.next.rawValue)]"
            }
            return line
        }.joined(separator: "\n")
    }

    /// True with a chance in 10,000.
    func chance(_ share: Int) -> Bool {
        share > 0 && Int.random(in: 0..<10_000, using: &random) < share
    }
}
