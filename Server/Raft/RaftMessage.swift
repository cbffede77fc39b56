package import Model

/// What one server says to another.
package struct RaftMessage: Hashable, Sendable {
    package var from: NodeID
    package var to: NodeID
    /// The sender's term; in a pre-vote the term that it would campaign for.
    package var term: Term
    package var body: Body

    package init(from: NodeID, to: NodeID, term: Term, body: Body) {
        self.from = from
        self.to = to
        self.term = term
        self.body = body
    }

    /// The kinds of messages.
    package enum Body: Hashable, Sendable {
        /// Asks whether an election would be won, without starting one (dissertation §9.6).
        case preVoteRequest(last: LogPosition)
        case preVoteResponse(granted: Bool)
        /// Asks for a vote; `isTransfer` when the leader asked for the campaign.
        case voteRequest(last: LogPosition, isTransfer: Bool)
        case voteResponse(granted: Bool)
        case append(Append)
        case appendResponse(AppendResponse)
        /// Keeps the leader in office and counts its rounds.
        case heartbeat(round: UInt64, commit: LogPosition)
        case heartbeatResponse(round: UInt64)
        /// Asks the leader for an index to read at (dissertation §6.4).
        case readRequest(id: UInt64)
        /// Answers it; nil when the leader cannot say.
        case readResponse(id: UInt64, index: LogIndex?)
        /// Asks the receiver to campaign at once (dissertation §3.10).
        case timeoutNow
        /// Answers a message of an earlier term: the message's term is what counts.
        case termNotice
    }

    /// Entries and what must come before them.
    package struct Append: Hashable, Sendable {
        /// The entry before the first one; the receiver must have it.
        package var previous: LogPosition
        /// Indexes follow `previous` without gaps.
        package var entries: [Entry]
        package var commit: LogIndex

        package init(previous: LogPosition, entries: [Entry], commit: LogIndex) {
            self.previous = previous
            self.entries = entries
            self.commit = commit
        }
    }

    /// What an append has come to.
    package enum AppendResponse: Hashable, Sendable {
        /// Everything up to `match` agrees with the leader and is on disk.
        case accepted(match: LogIndex)
        /// The entry at `previous` is not there; the logs may meet at `hint`.
        case rejected(previous: LogIndex, hint: LogPosition)
    }

    /// Whether the message belongs in the lane that no entries, disks or snapshots hold up.
    ///
    /// Elections and heartbeats are small and late ones cost a leader.
    package var isPriority: Bool {
        switch body {
        case .append, .appendResponse: false
        default: true
        }
    }

    /// Whether only the leader of the message's term sends such a message.
    var isFromLeader: Bool {
        switch body {
        case .append, .heartbeat, .timeoutNow, .readResponse: true
        default: false
        }
    }

    var isAnswer: Bool {
        switch body {
        case .appendResponse, .heartbeatResponse, .voteResponse, .preVoteResponse, .termNotice:
            true
        default: false
        }
    }

    /// Whether numbers and order are such that a correct peer could have sent them.
    var isPlausible: Bool {
        guard term <= .greatestPlausible else { return false }
        switch body {
        case .preVoteRequest(let last), .voteRequest(let last, _):
            return last.index <= .greatestPlausible && last.term <= term
        case .append(let append):
            return append.isPlausible(in: term)
        case .appendResponse(.accepted(let match)):
            return match <= .greatestPlausible
        case .appendResponse(.rejected(let previous, let hint)):
            return previous <= .greatestPlausible && hint.index <= .greatestPlausible
        case .heartbeat(_, let commit):
            return commit.index <= .greatestPlausible && commit.term <= term
        case .readResponse(_, let index):
            return (index ?? .zero) <= .greatestPlausible
        default:
            return true
        }
    }
}

extension RaftMessage.Append {
    /// Whether the entries follow one another and none is newer than the message.
    func isPlausible(in term: Term) -> Bool {
        guard previous.index <= .greatestPlausible, commit <= .greatestPlausible else {
            return false
        }
        var position = previous
        for entry in entries {
            guard entry.index == position.index.next, entry.term >= position.term else {
                return false
            }
            position = entry.position
        }
        return position.term <= term
    }
}
