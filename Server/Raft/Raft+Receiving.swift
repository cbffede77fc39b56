import Model

/// Messages: the rules on terms first, then the kinds.
extension Raft {
    mutating func receive(
        _ message: RaftMessage,
        now: Instant,
        into effects: inout RaftEffects
    ) {
        guard message.to == id, message.from != id, message.isPlausible else {
            effects.notes.append(.implausible(from: message.from))
            return
        }
        if message.term > term {
            guard adopts(message, now: now, into: &effects) else { return }
        } else if message.term < term, !countsOldAnswer(message) {
            answerOld(message, into: &effects)
            return
        }
        dispatch(message, now: now, into: &effects)
    }

    /// Follows a later term; false when the message is to be ignored, term and all.
    ///
    /// - Source: Raft §5.1; §6 and dissertation §4.2.3 for the votes that are ignored.
    private mutating func adopts(
        _ message: RaftMessage,
        now: Instant,
        into effects: inout RaftEffects
    ) -> Bool {
        switch message.body {
        case .preVoteRequest, .preVoteResponse(granted: true):
            // The term is one that nobody is in yet.
            return true
        case .voteRequest(_, isTransfer: false) where hearsLeader(now: now):
            return false
        default:
            if faults.has(.ignoresTermInAnswers), message.isAnswer { return false }
            let leader = message.isFromLeader ? message.from : nil
            becomeFollower(message.term, leader: leader, now: now, into: &effects)
            return true
        }
    }

    private func countsOldAnswer(_ message: RaftMessage) -> Bool {
        guard faults.has(.countsOverwrittenEntries), role == .leader else { return false }
        if case .appendResponse(.accepted) = message.body { return true }
        return false
    }

    /// Tells a sender that its term is over.
    ///
    /// Without it a server that is ahead in terms could neither be led nor, hearing a leader,
    /// elect one.
    private func answerOld(_ message: RaftMessage, into effects: inout RaftEffects) {
        switch message.body {
        case .preVoteRequest:
            send(.preVoteResponse(granted: false), to: message.from, into: &effects)
        case .append, .heartbeat, .voteRequest, .readRequest:
            sendWhenTermIsDurable(.termNotice, to: message.from, into: &effects)
        default: break
        }
    }

    private mutating func dispatch(
        _ message: RaftMessage,
        now: Instant,
        into effects: inout RaftEffects
    ) {
        switch message.body {
        case .preVoteRequest(let last):
            receivePreVoteRequest(message, last: last, now: now, into: &effects)
        case .preVoteResponse(let granted):
            guard role == .preCandidate, !granted || message.term == term.next else { return }
            count(vote: granted, of: message.from, now: now, into: &effects)
        case .voteRequest(let last, let isTransfer):
            receiveVoteRequest(
                message,
                last: last,
                isTransfer: isTransfer,
                now: now,
                into: &effects
            )
        case .voteResponse(let granted):
            guard role == .candidate else { return }
            count(vote: granted, of: message.from, now: now, into: &effects)
        case .append, .heartbeat, .timeoutNow, .readResponse:
            receiveFromLeader(message, now: now, into: &effects)
        case .appendResponse(let response):
            guard role == .leader else { return }
            receiveAppendResponse(response, from: message.from, now: now, into: &effects)
        case .heartbeatResponse(let round):
            guard role == .leader else { return }
            receiveHeartbeatResponse(round: round, from: message.from, now: now)
        case .readRequest(let readID):
            receiveReadRequest(readID, from: message.from, into: &effects)
        case .termNotice: break
        }
    }

    private mutating func receiveFromLeader(
        _ message: RaftMessage,
        now: Instant,
        into effects: inout RaftEffects
    ) {
        guard role != .leader else {
            // Two leaders of one term: a correct cluster has none.
            effects.notes.append(.implausible(from: message.from))
            return
        }
        heard(leader: message.from, now: now, into: &effects)
        switch message.body {
        case .append(let append): receiveAppend(append, from: message.from, into: &effects)
        case .heartbeat(let round, let commit):
            receiveHeartbeat(round: round, commit: commit, from: message.from, into: &effects)
        case .timeoutNow: receiveTimeoutNow(now: now, into: &effects)
        case .readResponse(let readID, let index):
            receiveReadResponse(readID, index, now: now, into: &effects)
        default: break
        }
    }
}
