import DequeModule
import Model

/// What a server keeps only while it leads; every term starts with a fresh one.
package struct LeaderState: Sendable {
    /// The followers, sorted by id.
    package internal(set) var followers: [Progress] = []
    /// The entry with which this leader's term began.
    var termStart = LogIndex.zero
    /// Bytes of entries that are in the log and not committed.
    package internal(set) var uncommittedBytes = 0
    var heartbeatDeadline = Instant(nanoseconds: 0)
    /// The newest heartbeat round.
    private(set) var round: UInt64 = 0
    /// When the recent rounds were sent, oldest first.
    private var rounds: Deque<Round> = []
    /// Reads whose round is under way.
    var confirming: ReadBatch?
    /// Reads that wait for the next round.
    var filling: [PendingRead] = []
    package internal(set) var transfer: Transfer?
    /// Whether a successor was told to campaign: from then on its voters need not be loyal, and
    /// the message may arrive at any time, so that this term's lease is void for good.
    var forfeitsLease = false

    private struct Round: Sendable {
        var number: UInt64
        var sentAt: Instant
    }

    /// A leadership that is being handed over.
    package struct Transfer: Sendable {
        var token: RequestToken
        package var target: NodeID
        var deadline: Instant
    }

    func position(of id: NodeID) -> Int? {
        followers.firstIndex { $0.id == id }
    }

    package func progress(of id: NodeID) -> Progress? {
        position(of: id).map { followers[$0] }
    }

    mutating func openRound(now: Instant, limit: Int) -> UInt64 {
        round += 1
        rounds.append(Round(number: round, sentAt: now))
        if rounds.count > limit { rounds.removeFirst() }
        return round
    }

    /// When a round was sent; nil when it is too old or never was.
    func sendTime(of round: UInt64) -> Instant? {
        guard let first = rounds.first, round >= first.number, round <= self.round else {
            return nil
        }
        return rounds[rounds.startIndex + Int(round - first.number)].sentAt
    }
}

/// Reads that one heartbeat round confirms together.
struct ReadBatch: Sendable {
    var round: UInt64
    /// The commit index when the round began.
    var index: LogIndex
    var reads: [PendingRead]
}

/// A read that the leader answers.
enum PendingRead: Hashable, Sendable {
    case local(RequestToken)
    case forwarded(by: NodeID, id: UInt64)
}

/// Proposals that are in the log and not applied yet.
struct WaitingProposals: Sendable {
    private struct Item: Sendable {
        var position: LogPosition
        var token: RequestToken
    }

    /// Of the present leadership, sorted by index.
    private var current: Deque<Item> = []
    /// Of earlier leaderships: a later leader may commit them yet.
    private var orphans: [Item] = []

    var count: Int { current.count + orphans.count }

    mutating func add(_ token: RequestToken, at position: LogPosition) {
        current.append(Item(position: position, token: token))
    }

    mutating func orphan() {
        orphans += current
        current.removeAll()
    }

    /// What became of the proposals up to `applied`, given the terms of the log.
    mutating func resolve(
        through applied: LogIndex,
        term: (LogIndex) -> Term?
    ) -> [RaftAnswer] {
        var answers: [RaftAnswer] = []
        while let item = current.first, item.position.index <= applied {
            current.removeFirst()
            answers.append(WaitingProposals.answer(item, term: term(item.position.index)))
        }
        guard !orphans.isEmpty else { return answers }
        for item in orphans where item.position.index <= applied {
            answers.append(WaitingProposals.answer(item, term: term(item.position.index)))
        }
        orphans.removeAll { $0.position.index <= applied }
        return answers
    }

    private static func answer(_ item: Item, term: Term?) -> RaftAnswer {
        switch term {
        case item.position.term?: .committed(item.token, item.position.index)
        case nil: .refused(item.token, .outcomeUnknown)
        default: .refused(item.token, .overwritten)
        }
    }
}
