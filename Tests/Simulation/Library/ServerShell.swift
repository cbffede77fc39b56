import Model
import Raft
import StateMachine

/// What a whole server does around its core with the requests of its clients.
struct ServerShell {
    /// A write whose outcome is not known yet.
    struct Pending {
        var operation: RegistryOperation
        /// nil for the server's own requests.
        var client: Int?
        var entry: [UInt8]
    }

    /// What this start is called in requests.
    var start: UInt64 = 0
    /// Requests of this start so far.
    var lastNumber: UInt64 = 0
    var pending: [UInt64: Pending] = [:]
    /// Reads by their token.
    var reads: [RequestToken: (RegistryOperation, client: Int)] = [:]
    /// To whom the pending requests were sent last.
    var sentTo: (term: Term, leader: NodeID)?
    /// What it remembers of the others, and what of that is on its disk.
    var marks: [NodeID: ServerMark] = [:]
    var stored: [NodeID: ServerMark] = [:]
    /// The same as an observer would write it down, who sees the disks.
    var heard: [NodeID: Heard] = [:]
    var heardForGood: [NodeID: Heard] = [:]
    /// What it said last of its own disk.
    var told: Heard?
    /// When this leader first saw a session that expires.
    var sessionsSeen: [String: Instant] = [:]
    /// What its wall clock is off.
    var wallOffset: UInt64 = 0

    /// Begins with what its disk remembers.
    mutating func recall(_ marks: [NodeID: ServerMark]) {
        self.marks = marks
        stored = marks
        heard = heardForGood
    }

    /// Forgets what was only in memory.
    mutating func restart(as start: UInt64) {
        self.start = start
        lastNumber = 0
        pending = [:]
        reads = [:]
        sentTo = nil
        sessionsSeen = [:]
        told = nil
    }
}

/// What is told about the sender with every message, as the transport's handshake does.
struct Greeting {
    var cluster: UInt128
    /// nil while the server is down.
    var start: ServerStart?
}

/// An answer of the registry to a client.
struct RegistryReply {
    enum Outcome {
        case written(at: LogIndex)
        case read(at: LogIndex, seen: LogIndex)
        case unknown
        case refused
    }

    var operation: UInt64
    var outcome: Outcome
}

extension Simulation {
    /// How long a server tries to find out what became of a write.
    private static let holdTime = Nanoseconds.seconds(7)

    /// A start draws its name at random, since a server that lost its disk could not count on.
    func restartShell(of id: NodeID) {
        let start = options.environment.contains(.forgetsStarts) ? 1 : random.next()
        nodes[id]?.shell.restart(as: start)
    }

    // MARK: Requests

    func handle(_ operation: RegistryOperation, of client: Int?, at id: NodeID) {
        guard nodes[id]?.server != nil else { return }
        guard let mode = operation.readMode else {
            return write(operation, of: client, at: id)
        }
        let token = RequestToken(rawValue: operation.id)
        guard let client else { return }
        nodes[id]?.shell.reads[token] = (operation, client: client)
        step(id, .read(token, mode))
    }

    private func write(_ operation: RegistryOperation, of client: Int?, at id: NodeID) {
        guard var shell = nodes[id]?.shell else { return }
        shell.lastNumber += 1
        let number = shell.lastNumber
        let request = RequestID(origin: id.rawValue, start: shell.start, number: number)
        let header = EntryHeader(
            kind: .command,
            stamp: Timestamp(nanosecondsSinceEpoch: 0),
            request: request,
            resolved: shell.pending.keys.min() ?? number
        )
        guard let entry = operation.entry(header) else { return }
        shell.pending[number] = ServerShell.Pending(
            operation: operation,
            client: client,
            entry: entry
        )
        nodes[id]?.shell = shell
        registryHistory.name(operation.id, request)
        after(Self.holdTime, .abandon(id, start: nodes[id]?.start ?? 0, number: number))
        forward(number, from: id)
    }

    /// Sends a pending request to whom this server takes for the leader.
    private func forward(_ number: UInt64, from id: NodeID) {
        guard let server = nodes[id]?.server, let pending = nodes[id]?.shell.pending[number] else {
            return
        }
        if server.raft.isLeader {
            propose(pending.entry, at: id)
        } else if let leader = server.raft.leader {
            let letter = RaftMessage(
                from: id,
                to: leader,
                term: server.raft.term,
                body: .readRequest(id: number)
            )
            for time in network.arrivals(of: letter, now: now, using: &random) {
                at(time, .forwarded(pending.entry, from: id, to: leader, greeting(of: id)))
            }
        }
    }

    /// A leader stamps a request and puts it into the log; who does not lead lets it fall.
    func propose(_ entry: [UInt8], at id: NodeID) {
        guard nodes[id]?.server?.raft.isLeader == true else { return }
        var entry = entry
        let wall = now.nanoseconds &+ (nodes[id]?.shell.wallOffset ?? 0)
        EntryHeader.restamp(&entry, Timestamp(nanosecondsSinceEpoch: wall))
        proposals += 1
        let token = RequestToken(rawValue: 1 << 62 | proposals)
        step(id, .propose([Proposal(token: token, payload: entry)]))
    }

    func step(_ id: NodeID, _ input: RaftInput) {
        let local = localTime(id)
        guard let output = nodes[id]?.server?.step([input], now: local) else { return }
        finishStep(id, output)
    }

    /// Sends everything pending again when there is a new leader.
    func notice(leaderOf id: NodeID) {
        guard let raft = nodes[id]?.server?.raft, let leader = raft.leader else { return }
        if let sent = nodes[id]?.shell.sentTo, sent == (raft.term, leader) { return }
        nodes[id]?.shell.sentTo = (raft.term, leader)
        after(.milliseconds(0), .resend(id, start: nodes[id]?.start ?? 0))
    }

    func resend(_ id: NodeID) {
        for number in nodes[id]?.shell.pending.keys.sorted() ?? [] { forward(number, from: id) }
    }

    /// The hold time is over: the client is told that nobody knows.
    func abandon(_ number: UInt64, at id: NodeID) {
        guard let pending = nodes[id]?.shell.pending.removeValue(forKey: number) else { return }
        reply(.unknown, to: pending.operation, of: pending.client)
    }

    // MARK: Answers

    /// Answers the writes that this server's own state machine has come to.
    func noteEffects(_ effects: [RegistryMachine.Effect], at id: NodeID) {
        for effect in effects {
            if let problem = registryHistory.observe(effect) {
                checker.report(.linearizability, problem)
            }
            guard let header = effect.header, header.request.origin == id.rawValue,
                header.request.start == nodes[id]?.shell.start,
                let pending = nodes[id]?.shell.pending.removeValue(
                    forKey: header.request.number
                )
            else { continue }
            // Its effect came with a snapshot: only that it happened is known, not how it ended.
            let outcome: RegistryReply.Outcome =
                effect.answer == nil ? .unknown : .written(at: effect.index)
            reply(outcome, to: pending.operation, of: pending.client)
        }
    }

    private func reply(
        _ outcome: RegistryReply.Outcome,
        to operation: RegistryOperation,
        of client: Int?
    ) {
        guard let client else { return }
        if case .written(let index) = outcome,
            let problem = registryHistory.finish(operation.id, at: index, now: now)
        {
            checker.report(.linearizability, problem)
        }
        let reply = RegistryReply(operation: operation.id, outcome: outcome)
        after(.milliseconds(Int64.random(in: 1...8, using: &random)), .reply(client, reply))
    }

    /// What the core says to a read; writes wait for the state machine.
    func answer(_ answer: RaftAnswer, at id: NodeID) {
        switch answer {
        case .readable(let token, _):
            guard let (operation, client) = nodes[id]?.shell.reads.removeValue(forKey: token),
                let registry = nodes[id]?.server?.registry
            else { return }
            if let problem = registryHistory.finish(
                operation.id,
                at: registry.applied,
                from: registry,
                now: now
            ) {
                checker.report(.linearizability, problem)
            }
            var seen = LogIndex.zero
            if case .readKey(let key, _) = operation.kind {
                seen = registry.key(key)?.modified ?? .zero
            }
            reply(.read(at: registry.applied, seen: seen), to: operation, of: client)
        case .refused(let token, _):
            guard let (operation, client) = nodes[id]?.shell.reads.removeValue(forKey: token)
            else { return }
            reply(.refused, to: operation, of: client)
        case .committed, .done: break
        }
    }

    // MARK: Sessions

    /// A leader ends sessions whose time is over.
    func expireSessions(_ id: NodeID) {
        after(.milliseconds(300), .sessions(id))
        guard let server = nodes[id]?.server, server.raft.isLeader, let registry = server.registry
        else {
            nodes[id]?.shell.sessionsSeen = [:]
            return
        }
        let local = localTime(id)
        var seen: [String: Instant] = [:]
        for session in registry.expiringSessions {
            seen[session] = nodes[id]?.shell.sessionsSeen[session] ?? local
        }
        nodes[id]?.shell.sessionsSeen = seen
        for (session, since) in seen.sorted(by: { $0.key < $1.key })
        where local.since(since) > .milliseconds(900) {
            nextOperation += 1
            let end = RegistryOperation(id: nextOperation, kind: .destroySession(session))
            registryHistory.begin(end, now: now)
            handle(end, of: nil, at: id)
        }
    }
}
