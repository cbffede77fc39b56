import Logging
import Model
import NIOCore
import RPC
import Raft
import Replica
import StateMachine

/// A proposal of this server until its outcome is known.
struct OwnProposal {
    enum Place: Hashable {
        /// Waits for a leader.
        case nowhere
        /// In this leader's own core.
        case here
        /// With the leader of a term, since some time.
        case sent(to: NodeID, term: Term, at: Instant)
    }

    let bytes: [UInt8]
    let since: Instant
    var place = Place.nowhere
    /// How often it was given to a leader; after the first time it may have taken effect.
    var tries = 0
}

/// Who waits for the core's answer, other than an own proposal.
enum RequestOwner {
    case remote(RequestID)
    case read(WaitingRead)
    case operation((RaftRefusal?) -> Void)
}

/// Why a leader did not take a forwarded write.
enum WriteRefusal: UInt8 {
    case notLeader = 1
    case overloaded = 2
    case tooLarge = 3
    case unknown = 4
}

/// Writes: to the leader, wherever it is, until it is known what became of them.
extension Consensus {
    func propose(_ entries: [ProposedEntry]) {
        let now = ReadGate.now
        guard raft.isLeader, hasRoom else {
            for entry in entries {
                let proposal = OwnProposal(bytes: entry.bytes, since: now)
                proposals.add(proposal, number: entry.id.rawValue)
            }
            return route(entries.map(\.id.rawValue), now: now)
        }
        var batch: [Proposal] = []
        batch.reserveCapacity(entries.count)
        for entry in entries {
            proposals.add(
                OwnProposal(bytes: entry.bytes, since: now, place: .here, tries: 1),
                number: entry.id.rawValue
            )
            batch.append(Proposal(token: RequestToken(own: entry.id), payload: entry.bytes))
        }
        submit(batch)
    }

    /// Whether proposals had better wait for the disk.
    ///
    /// A sync takes everything that waits for it, so that none of them is on this disk later for
    /// having waited; but what waits travels in one message and is committed together. A disk that
    /// hangs does not hold them up: the others may go on without it.
    var isBusy: Bool {
        writesUnderWay > 0 && raft.isLeader
            && ReadGate.now.since(busySince) < settings.limits.gatherTime
    }

    /// Hands proposals to the core, or keeps them while the disk is busy.
    private func submit(_ batch: [Proposal]) {
        gathered += batch
        gatheredBytes += batch.reduce(0) { $0 + $1.payload.count }
        let limits = settings.limits
        let isFull =
            gathered.count >= limits.gatheredProposals || gatheredBytes >= limits.gatheredBytes
        if isFull || !isBusy { submitGathered() }
    }

    private func submitGathered() {
        guard !gathered.isEmpty else { return }
        input(.propose(gathered))
        gathered = []
        gatheredBytes = 0
    }

    /// Goes on with what waited for the disk.
    func endGathering() {
        submitGathered()
        deliver(.ready)
    }

    func makeToken(_ owner: RequestOwner) -> RequestToken {
        let token = RequestToken(rawValue: nextToken)
        nextToken += 1
        owners[token] = owner
        return token
    }

    /// Sends proposals to whoever leads; without a leader they wait.
    func route(_ numbers: [UInt64], now: Instant) {
        if raft.isLeader, !hasRoom {
            for number in numbers { refused(number, .overloaded) }
        } else if raft.isLeader {
            var batch: [Proposal] = []
            batch.reserveCapacity(numbers.count)
            for number in numbers {
                guard var proposal = proposals[number] else { continue }
                proposal.place = .here
                proposal.tries += 1
                proposals[number] = proposal
                let token = RequestToken(own: ProposalID(rawValue: number))
                batch.append(Proposal(token: token, payload: proposal.bytes))
            }
            submit(batch)
        } else if let leader = raft.leader, leader != settings.id {
            forward(numbers, to: leader, now: now)
        }
    }

    private func forward(_ numbers: [UInt64], to leader: NodeID, now: Instant) {
        var batch: [ForwardedWrite] = []
        var bytes = 0
        for number in numbers {
            guard var proposal = proposals[number] else { continue }
            proposal.place = .sent(to: leader, term: raft.term, at: now)
            proposal.tries += 1
            proposals[number] = proposal
            batch.append(
                ForwardedWrite(
                    number: number,
                    start: proposer.start,
                    floor: proposals.lowest,
                    payload: proposal.bytes
                )
            )
            bytes += proposal.bytes.count
            if batch.count >= settings.limits.forwardedWrites
                || bytes >= settings.limits.forwardedBytes
            {
                transport.send(.forward(batch), to: leader)
                batch = []
                bytes = 0
            }
        }
        if !batch.isEmpty { transport.send(.forward(batch), to: leader) }
        transport.flush()
    }

    /// Sends everything again that the present leader has not got, because the leader or the
    /// connection to it is another one.
    func reroute(resendsSent: Bool) {
        let now = ReadGate.now
        let numbers = proposals.numbers.filter { number in
            switch proposals[number]?.place {
            case .nowhere: true
            case .sent(let peer, let term, _):
                resendsSent || raft.leader != peer || raft.term != term
            case .here, nil: false
            }
        }
        route(numbers, now: now)
    }

    // MARK: As the leader of others

    func receive(_ writes: [ForwardedWrite], from peer: NodeID) {
        guard raft.isLeader else {
            return refuse(writes.map(\.number), .notLeader, to: peer)
        }
        guard hasRoom else { return refuse(writes.map(\.number), .overloaded, to: peer) }
        let stamp = wallClock()
        var batch: [Proposal] = []
        for write in writes {
            guard let header = EntryHeader(write.payload), header.request.origin == peer.rawValue
            else {
                logger.warning("ignored a malformed write: from=\(name(of: peer))")
                continue
            }
            guard remoteRequests.insert(header.request).inserted else { continue }
            var payload = write.payload
            EntryHeader.restamp(&payload, stamp)
            let token = makeToken(.remote(header.request))
            batch.append(Proposal(token: token, payload: payload))
        }
        if !batch.isEmpty { submit(batch) }
    }

    private func refuse(_ numbers: [UInt64], _ reason: WriteRefusal, to peer: NodeID) {
        let refused = numbers.map { RefusedWrite(number: $0, reason: reason.rawValue) }
        transport.send(.forwardRefused(refused), to: peer)
        transport.flush()
    }

    // MARK: Answers

    /// Handles what the core says to a request.
    func handle(_ answer: RaftAnswer) {
        switch answer {
        case .committed(let token, _):
            // Whoever proposed it learns so from its own copy of the log.
            guard token.ownProposal == nil else { return }
            if case .remote(let request)? = owners.removeValue(forKey: token) {
                remoteRequests.remove(request)
            }
        case .readable(let token, _):
            if case .read(let read)? = owners.removeValue(forKey: token) { read.completion(nil) }
        case .done(let token):
            if case .operation(let completion)? = owners.removeValue(forKey: token) {
                completion(nil)
            }
        case .refused(let token, let refusal):
            if let id = token.ownProposal { return refused(id.rawValue, WriteRefusal(refusal)) }
            refused(owners.removeValue(forKey: token), refusal)
        }
    }

    private func refused(_ owner: RequestOwner?, _ refusal: RaftRefusal) {
        switch owner {
        case .remote(let request):
            remoteRequests.remove(request)
            let peer = NodeID(rawValue: request.origin)
            refuse([request.number], WriteRefusal(refusal), to: peer)
        case .read(let read): refused(read, refusal)
        case .operation(let completion): completion(refusal)
        case nil: break
        }
    }

    /// Takes note of what a leader did not take.
    func receive(_ refusals: [RefusedWrite], from peer: NodeID) {
        for refusal in refusals {
            guard case .sent(let leader, _, _)? = proposals[refusal.number]?.place, leader == peer
            else { continue }
            refused(refusal.number, WriteRefusal(rawValue: refusal.reason) ?? .unknown)
        }
    }

    private func refused(_ number: UInt64, _ reason: WriteRefusal) {
        guard var proposal = proposals[number] else { return }
        let id = ProposalID(rawValue: number)
        switch reason {
        case .tooLarge:
            _ = proposals.take(number)
            deliver(.refused([id], ProposalError(.tooLarge, "command is too large for the log")))
        case .overloaded where proposal.tries <= 1:
            _ = proposals.take(number)
            deliver(.refused([id], ProposalError(.overloaded, overload)))
        case .notLeader, .overloaded, .unknown:
            // It is sent again when there is a leader, or by the sweep.
            proposal.place = .nowhere
            proposals[number] = proposal
        }
    }

    private var overload: String {
        hasRoom ? "too many pending writes" : "the leader's disk is nearly full"
    }

    // MARK: Time

    /// Gives up what has waited too long, and tries again what may have been lost.
    func sweepRequests() {
        let now = ReadGate.now
        sweepReads(now: now)
        sweepAsks(now: now)
        if !isBusy { endGathering() }
        guard proposals.count > 0 else { return }
        var again: [UInt64] = []
        for number in proposals.numbers {
            guard let proposal = proposals[number] else { continue }
            if now.since(proposal.since) >= settings.limits.holdTime {
                _ = proposals.take(number)
                let error = proposal.tries > 0 ? ProposalError.outcomeUnknown : .noLeader
                deliver(.refused([ProposalID(rawValue: number)], error))
                continue
            }
            switch proposal.place {
            case .nowhere: again.append(number)
            case .sent(_, _, let at) where now.since(at) >= settings.limits.resendInterval:
                again.append(number)
            default: break
            }
        }
        if !again.isEmpty { route(again, now: now) }
    }
}

/// The tokens of own proposals say whose they are: nothing need be looked up for them.
extension RequestToken {
    private static let ownBit: UInt64 = 1 << 63

    fileprivate init(own id: ProposalID) {
        self.init(rawValue: id.rawValue | RequestToken.ownBit)
    }

    /// The proposal; nil for any other request.
    fileprivate var ownProposal: ProposalID? {
        guard rawValue & RequestToken.ownBit != 0 else { return nil }
        return ProposalID(rawValue: rawValue & ~RequestToken.ownBit)
    }
}

extension WriteRefusal {
    init(_ refusal: RaftRefusal) {
        switch refusal {
        case .overloaded: self = .overloaded
        case .tooLarge: self = .tooLarge
        case .notLeader, .transferring, .overwritten: self = .notLeader
        default: self = .unknown
        }
    }
}
