import Model
import Raft

/// One client: one operation at a time, then the next.
struct Client {
    /// Where it asks next.
    var server: NodeID
    /// The operation without an answer.
    var operation: UInt64?
    /// What it last saw of any key, for compare-and-set.
    var lastValue: UInt64 = 0
    /// When the key that it read last was changed.
    var lastSeen = LogIndex.zero
}

/// What a server tells a client.
struct Reply {
    enum Outcome {
        case done(at: LogIndex, value: UInt64, hasEffect: Bool)
        /// Without effect, for good.
        case refused(tryAt: NodeID?)
        case unknown
    }

    var operation: Operation
    var outcome: Outcome
}

extension Simulation {
    func nextOperation(of client: Int) {
        if case .quiet = phase { return }
        guard !options.isWhole else { return nextRegistryOperation(of: client) }
        nextOperation += 1
        let key = UInt8.random(in: 0..<options.keys, using: &random)
        let kind: Operation.Kind
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4: kind = .put(nextOperation)
        case 4..<6:
            kind = .compareAndSet(expected: clients[client].lastValue, new: nextOperation)
        case 6..<8: kind = .get(.lease)
        default: kind = .get(.confirmed)
        }
        let operation = Operation(id: nextOperation, key: key, kind: kind)
        // Any server serves reads, only the leader writes.
        if operation.isRead, chance(5000) || clients[client].operation != nil {
            clients[client].server = randomNode()
        }
        clients[client].operation = operation.id
        history.begin(operation, now: now)
        after(clientDelay(), .request(clients[client].server, operation, client: client))
        after(.milliseconds(900), .giveUp(client: client, operation: operation.id))
    }

    private func clientDelay() -> Nanoseconds {
        .milliseconds(Int64.random(in: 1...8, using: &random))
    }

    func randomNode() -> NodeID {
        let ids = nodes.keys.sorted()
        return ids[Int.random(in: 0..<ids.count, using: &random)]
    }

    func request(_ operation: Operation, of client: Int, at id: NodeID, _ event: Event) {
        guard nodes[id]?.server != nil, !isPaused(id, event) else { return }
        let token = RequestToken(rawValue: operation.id)
        nodes[id]?.waiting[token] = (operation, client: client)
        if case .get(let mode) = operation.kind {
            input(id, [.read(token, mode)], unlessPaused: event)
        } else {
            let payload = operation.payload(padding: options.padding)
            let proposal = Proposal(token: token, payload: payload)
            input(id, [.propose([proposal])], unlessPaused: event)
        }
    }

    /// Turns a server's answer into the reply of its state machine.
    func take(
        _ answer: RaftAnswer,
        of id: NodeID,
        applied: [(LogIndex, Operation, Bool)]
    ) {
        let outcome: Reply.Outcome
        let token: RequestToken
        switch answer {
        case .committed(let found, let index):
            token = found
            let result = applied.first { $0.0 == index }
            outcome = .done(at: index, value: 0, hasEffect: result?.2 ?? false)
            if result == nil || result?.1.id != token.rawValue {
                checker.report(.linearizability, "entry \(index.rawValue) is not what was asked")
            }
        case .readable(let found, _):
            token = found
            guard let machine = nodes[id]?.server?.machine,
                let (operation, _) = nodes[id]?.waiting[token]
            else { return }
            let value = machine.value(operation.key)
            outcome = .done(at: machine.applied, value: value, hasEffect: false)
        case .refused(let found, let refusal):
            token = found
            outcome = Simulation.outcome(of: refusal)
        case .done: return
        }
        guard let (operation, client) = nodes[id]?.waiting.removeValue(forKey: token) else {
            return
        }
        let reply = Reply(operation: operation, outcome: outcome)
        after(clientDelay(), .answer(client: client, reply))
    }

    private static func outcome(of refusal: RaftRefusal) -> Reply.Outcome {
        switch refusal {
        case .notLeader(let leader): .refused(tryAt: leader)
        case .outcomeUnknown: .unknown
        default: .refused(tryAt: nil)
        }
    }

    func receive(_ reply: Reply, client: Int) {
        let operation = reply.operation
        switch reply.outcome {
        case .done(let index, let value, let hasEffect):
            let problem = history.finish(
                operation.id,
                at: index,
                value: value,
                hasEffect: hasEffect,
                now: now
            )
            if let problem { checker.report(.linearizability, problem) }
            if operation.isRead { clients[client].lastValue = value }
        case .refused(let leader):
            if !operation.isRead { history.refuse(operation.id) }
            clients[client].server = leader ?? randomNode()
            if appliedAt[operation.id] != nil {
                checker.report(.refusedHasNoEffect, "operation \(operation.id) had an effect")
            }
        case .unknown: clients[client].server = randomNode()
        }
        guard clients[client].operation == operation.id else { return }
        clients[client].operation = nil
        after(.milliseconds(Int64.random(in: 1...30, using: &random)), .next(client: client))
    }

    /// A client that waited too long goes on; its operation may still have its effect.
    func giveUp(_ operation: UInt64, client: Int) {
        guard clients[client].operation == operation else { return }
        clients[client].operation = nil
        clients[client].server = randomNode()
        nextOperation(of: client)
    }
}
