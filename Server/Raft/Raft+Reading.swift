import Model

/// Linearizable reads without a log entry: an index that is recent enough, confirmed by a round.
///
/// At most one round is under way and one batch is filling, on the leader for everybody and on a
/// follower towards its leader, so that any number of reads costs one message per round trip.
///
/// - Source: dissertation §6.4 and §6.4.1.
extension Raft {
    mutating func read(
        _ token: RequestToken,
        _ mode: ReadMode,
        now: Instant,
        into effects: inout RaftEffects
    ) {
        guard pendingReadCount < settings.limits.pendingReads else {
            effects.answers.append(.refused(token, .overloaded))
            return
        }
        if role == .leader {
            if mode == .lease, holdsLease(now: now) {
                settle(.local(token), at: log.commit, into: &effects)
            } else {
                leading.filling.append(.local(token))
            }
        } else if role == .follower, leader != nil {
            reads.filling.append(token)
        } else {
            effects.answers.append(.refused(token, .notLeader(leader: nil)))
        }
    }

    private var pendingReadCount: Int {
        leading.filling.count + (leading.confirming?.reads.count ?? 0) + reads.count
    }

    /// Answers the reads whose round a majority confirmed, and starts the next round.
    mutating func advanceReads(now: Instant, into effects: inout RaftEffects) {
        while true {
            if let batch = leading.confirming {
                let confirmed = configuration.reached { peer in
                    peer == id ? UInt64.max : leading.progress(of: peer)?.confirmedRound ?? 0
                }
                guard let confirmed, confirmed >= batch.round else { return }
                leading.confirming = nil
                for read in batch.reads { settle(read, at: batch.index, into: &effects) }
            }
            // Before its own commit a leader may not know what earlier leaders committed.
            guard !leading.filling.isEmpty, hasCommittedInTerm else { return }
            startRound(now: now, into: &effects)
            leading.confirming = ReadBatch(
                round: leading.round,
                index: log.commit,
                reads: leading.filling
            )
            leading.filling = []
        }
    }

    private mutating func settle(
        _ read: PendingRead,
        at index: LogIndex,
        into effects: inout RaftEffects
    ) {
        switch read {
        case .local(let token): awaitApply(token, of: index, into: &effects)
        case .forwarded(let peer, let readID):
            send(.readResponse(id: readID, index: index), to: peer, into: &effects)
        }
    }

    private mutating func awaitApply(
        _ token: RequestToken,
        of index: LogIndex,
        into effects: inout RaftEffects
    ) {
        if index <= log.applied {
            effects.answers.append(.readable(token, log.applied))
        } else {
            reads.wait(token, for: index)
        }
    }

    mutating func failLeaderReads(_ refusal: RaftRefusal, into effects: inout RaftEffects) {
        for read in (leading.confirming?.reads ?? []) + leading.filling {
            guard case .local(let token) = read else { continue }
            effects.answers.append(.refused(token, refusal))
        }
    }

    // MARK: Through a follower

    mutating func receiveReadRequest(
        _ readID: UInt64,
        from peer: NodeID,
        into effects: inout RaftEffects
    ) {
        let read = PendingRead.forwarded(by: peer, id: readID)
        guard role == .leader, pendingReadCount < settings.limits.pendingReads,
            !leading.filling.contains(read)
        else { return }
        leading.filling.append(read)
    }

    /// Sends the reads of the turn to the leader, unless a request is already under way.
    mutating func forwardReads(now: Instant, into effects: inout RaftEffects) {
        guard let leader, reads.forwarded == nil, !reads.filling.isEmpty else { return }
        reads.nextID &+= 1
        let request = ForwardedReads(
            id: reads.nextID,
            tokens: reads.filling,
            startedAt: now,
            resendAt: now.advanced(by: settings.timing.heartbeatInterval)
        )
        reads.filling = []
        reads.forwarded = request
        send(.readRequest(id: request.id), to: leader, into: &effects)
    }

    mutating func resendReads(now: Instant, into effects: inout RaftEffects) {
        guard var request = reads.forwarded else { return }
        guard let leader, now.since(request.startedAt) < settings.timing.electionTimeout else {
            failForwardedReads(.unconfirmed, into: &effects)
            return
        }
        request.resendAt = now.advanced(by: settings.timing.heartbeatInterval)
        reads.forwarded = request
        send(.readRequest(id: request.id), to: leader, into: &effects)
    }

    mutating func receiveReadResponse(
        _ readID: UInt64,
        _ index: LogIndex?,
        now: Instant,
        into effects: inout RaftEffects
    ) {
        guard let request = reads.forwarded, request.id == readID else { return }
        reads.forwarded = nil
        for token in request.tokens {
            if let index {
                awaitApply(token, of: index, into: &effects)
            } else {
                effects.answers.append(.refused(token, .unconfirmed))
            }
        }
    }

    mutating func failForwardedReads(_ refusal: RaftRefusal, into effects: inout RaftEffects) {
        for token in (reads.forwarded?.tokens ?? []) + reads.filling {
            effects.answers.append(.refused(token, refusal))
        }
        reads.forwarded = nil
        reads.filling = []
    }
}

/// Reads that one request to the leader stands for.
struct ForwardedReads: Sendable {
    /// Never used again, by a later start of this server neither: a late answer to an old request
    /// would vouch for an index that is too old.
    var id: UInt64
    var tokens: [RequestToken]
    var startedAt: Instant
    var resendAt: Instant
}

/// The reads of this server that wait for its leader or its state machine.
struct ReadState: Sendable {
    private struct Waiting: Sendable {
        var index: LogIndex
        var token: RequestToken
    }

    var nextID: UInt64 = 0
    var forwarded: ForwardedReads?
    var filling: [RequestToken] = []
    /// Reads with an index, sorted by it, until the state machine reaches it.
    private var waiting: [Waiting] = []

    var resendDeadline: Instant? { forwarded?.resendAt }

    var count: Int { waiting.count + filling.count + (forwarded?.tokens.count ?? 0) }

    mutating func wait(_ token: RequestToken, for index: LogIndex) {
        let position = (waiting.lastIndex { $0.index <= index } ?? -1) + 1
        waiting.insert(Waiting(index: index, token: token), at: position)
    }

    mutating func takeReady(through applied: LogIndex) -> [RequestToken] {
        let ready = waiting.prefix { $0.index <= applied }.map(\.token)
        waiting.removeFirst(ready.count)
        return ready
    }
}
