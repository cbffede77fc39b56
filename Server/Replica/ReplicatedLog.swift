package import Model

/// Names a proposal within the process that made it; never reused.
package struct ProposalID: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// A command on its way into the log.
package struct ProposedEntry: Sendable {
    package var id: ProposalID
    /// The proposer's wall clock.
    ///
    /// The log may move it forward so that stamps never go back.
    package var stamp: Timestamp
    /// Message type and MessagePack map, from `CommandCoding`.
    package var payload: [UInt8]

    package init(id: ProposalID, stamp: Timestamp, payload: [UInt8]) {
        self.id = id
        self.stamp = stamp
        self.payload = payload
    }
}

/// An entry that the log guarantees to survive, at its final place.
package struct CommittedEntry: Sendable {
    package var index: LogIndex
    package var stamp: Timestamp
    package var payload: [UInt8]
    /// Set when this process proposed the entry and still waits for its result.
    package var proposal: ProposalID?

    package init(index: LogIndex, stamp: Timestamp, payload: [UInt8], proposal: ProposalID?) {
        self.index = index
        self.stamp = stamp
        self.payload = payload
        self.proposal = proposal
    }
}

/// What a log tells the replica, in order.
package enum LogEvent: Sendable {
    /// The next entries of the log; never empty, indexes without gaps.
    case committed([CommittedEntry])
    /// Proposals that will not be applied.
    case refused([ProposalID], ProposalError)
    /// This server became leader, or stopped being it.
    case leadershipChanged(isLeader: Bool)
}

/// The log behind the write path: it takes proposals and gives them back, in one order for all
/// servers, once they are safe.
///
/// Every call is made on the replica's event loop, and `deliver` is called there too: at once from
/// inside `propose`, or later. A log delivers each proposal exactly once, committed or refused.
package protocol ReplicatedLog: AnyObject, Sendable {
    /// Starts the log; called once, before any proposal.
    func start(deliver: @escaping (LogEvent) -> Void)

    /// Appends proposals in the order given.
    func propose(_ entries: [ProposedEntry])

    /// What the log knows of the cluster; may be read from any thread.
    var leadership: Leadership { get }
}
