package import Model
package import Raft

/// One entry as it lies on disk: what it means is its owner's business.
package struct LogEntry: Hashable, Sendable {
    package var index: LogIndex
    package var term: Term
    /// The owner's name for what the payload is.
    package var type: UInt8
    /// When the leader took it, by the leader's clock.
    package var timestamp: Timestamp
    package var payload: [UInt8]

    package init(
        index: LogIndex,
        term: Term,
        type: UInt8 = 0,
        timestamp: Timestamp = Timestamp(nanosecondsSinceEpoch: 0),
        payload: [UInt8]
    ) {
        self.index = index
        self.term = term
        self.type = type
        self.timestamp = timestamp
        self.payload = payload
    }
}

/// What a server must remember besides its entries.
///
/// - Source: Raft figure 2, persistent state; the commit index is a hint that saves time at start.
package struct DurableState: Hashable, Sendable {
    package var term: Term
    /// Whom this server voted for in `term`; nil when for nobody yet.
    package var votedFor: NodeID?
    /// Entries up to here are committed; may lag behind the truth, never runs ahead of it.
    package var commit: LogIndex

    package init(term: Term = .zero, votedFor: NodeID? = nil, commit: LogIndex = .zero) {
        self.term = term
        self.votedFor = votedFor
        self.commit = commit
    }
}

/// To whom a log belongs; a log of another owner is refused.
package struct LogIdentity: Hashable, Sendable {
    /// The cluster's id in 128 bits; 0 before the server has joined one.
    package var cluster: UInt128
    package var server: NodeID

    package init(cluster: UInt128, server: NodeID) {
        self.cluster = cluster
        self.server = server
    }
}
