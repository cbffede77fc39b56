package import Model

/// The last entry of a log.
package struct LogEnd: Hashable, Sendable {
    package var term: UInt64
    package var index: LogIndex

    package init(term: UInt64, index: LogIndex) {
        self.term = term
        self.index = index
    }
}

/// What the leader sees of one server.
package struct ServerObservation: Hashable, Sendable {
    package var id: UInt128
    package var isVoter: Bool
    package var isLeader: Bool
    /// Whether there is a connection over which it answers; of no account for the leader.
    package var isReachable: Bool
    /// How long ago it answered; nil for never, of no account for the leader.
    package var lastContact: Nanoseconds?
    /// The end of what it is known to have in its log.
    package var last: LogEnd

    package init(
        id: UInt128,
        isVoter: Bool,
        isLeader: Bool,
        isReachable: Bool,
        lastContact: Nanoseconds?,
        last: LogEnd
    ) {
        self.id = id
        self.isVoter = isVoter
        self.isLeader = isLeader
        self.isReachable = isReachable
        self.lastContact = lastContact
        self.last = last
    }
}

/// What a review found of one server.
package struct ServerRecord: Hashable, Sendable {
    package var server: ServerObservation
    package var isHealthy: Bool
    /// Since when `isHealthy` is what it is.
    package var stableSince: Timestamp
}

/// The outcome of a review.
package struct AutopilotReview: Hashable, Sendable {
    package var servers: [ServerRecord]
    /// How many more healthy voters may fail before the log stops.
    package var failureTolerance: Int
    /// The one change to make now.
    package var action: AutopilotAction?
    /// Why dead servers are kept, for the log.
    package var refusal: RemovalRefusal?

    package var isHealthy: Bool { servers.allSatisfy(\.isHealthy) }
}

/// A change of the members.
package enum AutopilotAction: Hashable, Sendable {
    /// The learner becomes a voter.
    case promote(UInt128)
    /// The server is no member any more.
    case remove(UInt128)
}

/// Why dead servers are not removed.
package enum RemovalRefusal: Hashable, Sendable, CustomStringConvertible {
    /// Fewer than `MinQuorum` voters would be left.
    case belowMinimumQuorum(dead: Int, voters: Int)
    /// They are no minority that can be spared.
    case tooManyDead(dead: Int, voters: Int)

    package var description: String {
        switch self {
        case .belowMinimumQuorum(let dead, let voters):
            "removing \(dead) of \(voters) servers would leave fewer than the minimum quorum"
        case .tooManyDead(let dead, let voters):
            "removing \(dead) of \(voters) servers is not safe: they are no minority"
        }
    }
}
