import Model
import Raft

/// Clients of whole servers: they write through any server, and go to another one when it is slow.
extension Simulation {
    func nextRegistryOperation(of client: Int) {
        if case .quiet = phase { return }
        nextOperation += 1
        let operation = RegistryOperation(id: nextOperation, kind: randomKind(for: client))
        if chance(3000) || clients[client].operation != nil {
            clients[client].server = randomNode()
        }
        clients[client].operation = operation.id
        registryHistory.begin(operation, now: now)
        let delay = Nanoseconds.milliseconds(Int64.random(in: 1...8, using: &random))
        after(delay, .registryRequest(clients[client].server, operation, client: client))
        after(.milliseconds(1200), .giveUp(client: client, operation: operation.id))
    }

    private func randomKind(for client: Int) -> RegistryOperation.Kind {
        func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
        let key = UInt8(below(Int(RegistryOperation.keys)))
        let instance = UInt8(below(Int(RegistryOperation.instances)))
        let session = sessions.suffix(6).randomElement(using: &random) ?? "none"
        let mode: ReadMode = below(2) == 0 ? .lease : .confirmed
        switch below(24) {
        case 0..<4: return .put(key)
        case 4..<6: return .compareAndSet(key, expected: clients[client].lastSeen)
        case 6: return .delete(key)
        case 7..<10: return .lock(key, session: session)
        case 10: return .unlock(key, session: session)
        case 11..<13:
            let kind = RegistryOperation.SessionKind(
                instance: below(2) == 0 ? instance : nil,
                delaysLocks: below(2) == 0,
                deletesKeys: below(3) == 0,
                expires: below(2) == 0
            )
            return .createSession(kind)
        case 13: return .destroySession(session)
        case 14..<17: return .register(instance, isPassing: below(4) > 0)
        case 17: return .deregister(instance)
        case 18..<22: return .readKey(key, mode)
        default: return .readInstance(instance, mode)
        }
    }

    func registryRequest(
        _ operation: RegistryOperation,
        of client: Int,
        at id: NodeID,
        _ event: Event
    ) {
        guard nodes[id]?.server != nil, !isPaused(id, event) else { return }
        handle(operation, of: client, at: id)
    }

    func receive(_ reply: RegistryReply, client: Int) {
        switch reply.outcome {
        case .written:
            if case .createSession? = registryHistory.operation(reply.operation)?.kind {
                sessions.append(RegistryOperation.session(reply.operation))
            }
        case .read(_, let seen): clients[client].lastSeen = seen
        case .unknown, .refused: clients[client].server = randomNode()
        }
        guard clients[client].operation == reply.operation else { return }
        clients[client].operation = nil
        after(.milliseconds(Int64.random(in: 1...30, using: &random)), .next(client: client))
    }
}
