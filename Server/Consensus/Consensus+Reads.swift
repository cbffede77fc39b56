import Model
import NIOCore
import RPC
import Raft
import Replica

/// A read until the state machine is known to be recent enough.
final class WaitingRead {
    let mode: ReadMode
    let since: Instant
    let completion: (ProposalError?) -> Void

    init(mode: ReadMode, since: Instant, completion: @escaping (ProposalError?) -> Void) {
        self.mode = mode
        self.since = since
        self.completion = completion
    }
}

/// Linearizable reads, on any server.
extension Consensus {
    func awaitReadable(
        _ requirement: ReadRequirement,
        completion: @escaping (ProposalError?) -> Void
    ) {
        let mode: ReadMode = requirement == .confirmed ? .confirmed : .lease
        let read = WaitingRead(mode: mode, since: ReadGate.now, completion: completion)
        start(read)
    }

    private func start(_ read: WaitingRead) {
        input(.read(makeToken(.read(read)), read.mode))
    }

    /// A read that no leader has confirmed is tried again until its time is over.
    func refused(_ read: WaitingRead, _ refusal: RaftRefusal) {
        if case .overloaded = refusal {
            return read.completion(ProposalError(.overloaded, "too many pending reads"))
        }
        waitingReads.append(read)
    }

    func retryReads() {
        let reads = waitingReads
        waitingReads = []
        for read in reads { start(read) }
    }

    func sweepReads(now: Instant) {
        let (late, others) = waitingReads.reduce(into: ([WaitingRead](), [WaitingRead]())) {
            if now.since($1.since) >= settings.limits.holdTime {
                $0.0.append($1)
            } else {
                $0.1.append($1)
            }
        }
        waitingReads = others
        for read in late { read.completion(.noLeader) }
        if raft.leader != nil { retryReads() }
    }
}

/// A request to the leader until it is answered.
struct PendingAsk {
    let request: LeaderRequest
    let since: Instant
    /// Whom it was sent to; nil while no leader is known.
    var sentTo: NodeID?
    let completion: (LeaderReply) -> Void
}

/// What only the leader can do, asked from here.
extension Consensus {
    func ask(_ request: LeaderRequest, completion: @escaping (LeaderReply) -> Void) {
        let id = nextToken
        nextToken += 1
        asks[id] = PendingAsk(request: request, since: ReadGate.now, completion: completion)
        send(ask: id)
    }

    private func send(ask id: UInt64) {
        guard var ask = asks[id], ask.sentTo == nil, let leader = raft.leader else { return }
        guard leader != settings.id else {
            // This server has become the leader itself.
            asks[id] = nil
            let answer = NIOLoopBound(ask.completion, eventLoop: eventLoop)
            let loop = eventLoop
            return deliver(
                .asked(ask.request) { reply in loop.execute { answer.value(reply) } }
            )
        }
        ask.sentTo = leader
        asks[id] = ask
        transport.send(
            .request(id: id, kind: PeerRequestKind.leader.rawValue, body: ask.request.encoded),
            to: leader
        )
        transport.flush()
    }

    func sendWaitingAsks() {
        for id in asks.keys.sorted() { send(ask: id) }
    }

    func receiveResponse(_ id: UInt64, failure: String?, _ body: [UInt8]) {
        guard let ask = asks.removeValue(forKey: id) else { return }
        if let failure { return ask.completion(.failed(failure)) }
        ask.completion(LeaderReply(encoded: body) ?? .failed("the leader's answer is unreadable"))
    }

    /// The leader that was asked is not there any more: what it did is not known.
    func failAsks(to peer: NodeID) {
        for id in asks.keys.sorted() where asks[id]?.sentTo == peer {
            asks.removeValue(forKey: id)?.completion(.noLeader)
        }
    }

    func sweepAsks(now: Instant) {
        sendWaitingAsks()
        for id in asks.keys.sorted() {
            guard let ask = asks[id], now.since(ask.since) >= settings.limits.holdTime else {
                continue
            }
            asks[id] = nil
            ask.completion(.noLeader)
        }
    }

    /// Serves another server's request to the leader.
    func receiveRequest(_ id: UInt64, kind: UInt16, _ body: [UInt8], from peer: NodeID) {
        switch PeerRequestKind(rawValue: kind) {
        case .leader:
            guard let request = LeaderRequest(encoded: body) else {
                return respond(to: id, of: peer, failure: "unreadable request")
            }
            guard raft.isLeader else {
                return respond(to: id, of: peer, body: LeaderReply.noLeader.encoded)
            }
            let answer = callback { (consensus, reply: LeaderReply) in
                consensus.respond(to: id, of: peer, body: reply.encoded)
            }
            deliver(.asked(request, answer: answer))
        case .join:
            guard let greeting = ServerGreeting(encoded: body) else {
                return respond(to: id, of: peer, failure: "unreadable request")
            }
            wantMember(greeting)
            respond(to: id, of: peer)
        case nil:
            respond(to: id, of: peer, failure: "unknown request \(kind)")
        }
    }

    private func respond(
        to id: UInt64,
        of peer: NodeID,
        failure: String? = nil,
        body: [UInt8] = []
    ) {
        transport.send(.response(id: id, failure: failure, body: body), to: peer)
        transport.flush()
    }
}

/// What servers ask of one another.
enum PeerRequestKind: UInt16 {
    /// A `LeaderRequest`, answered by a `LeaderReply`.
    case leader = 1
    /// The greeting of a server that wants to be a member; sent on to the leader.
    case join = 2
}
