package import Model
package import Raft

/// A write that a follower sends to the leader, with the id under which it is applied once.
package struct ForwardedWrite: Hashable, Sendable {
    /// Counts the writes of its origin since that was started.
    package var number: UInt64
    /// How many times its origin has been started.
    package var start: UInt64
    /// Every number of the origin below this one is settled.
    package var floor: UInt64
    /// The command in the log's encoding.
    package var payload: [UInt8]

    package init(number: UInt64, start: UInt64, floor: UInt64, payload: [UInt8]) {
        self.number = number
        self.start = start
        self.floor = floor
        self.payload = payload
    }
}

/// A forwarded write that did not get into the log.
package struct RefusedWrite: Hashable, Sendable {
    package var number: UInt64
    /// The shell's code for the reason; the transport reads nothing into it.
    package var reason: UInt8

    package init(number: UInt64, reason: UInt8) {
        self.number = number
        self.reason = reason
    }
}

/// What one server sends another over a lane.
package enum PeerMessage: Hashable, Sendable {
    /// A message of the consensus core.
    ///
    /// `from` and `to` do not travel: the receiver fills in whom the connection's handshake named
    /// and itself.
    case raft(RaftMessage)
    case forward([ForwardedWrite])
    case forwardRefused([RefusedWrite])
    /// Asks something of the shell; `kind` says what.
    case request(id: UInt64, kind: UInt16, body: [UInt8])
    /// What is on the sender's disk: its term, and how many entries that are committed.
    case standing(Term, kept: LogIndex)
    /// Answers a request; `failure` is nil when it went well.
    case response(id: UInt64, failure: String?, body: [UInt8])
}

/// One of the two connections to a peer.
package enum PeerLane: UInt8, Hashable, Sendable, CaseIterable {
    /// Elections, heartbeats, reads and small requests: nothing large is ever before them.
    case priority = 1
    /// Entries, forwarded writes and large requests.
    case bulk = 2
}

extension PeerMessage {
    /// The lane that the message takes; bodies up to `smallBytes` are small.
    package func lane(smallBytes: Int) -> PeerLane {
        switch self {
        case .raft(let message): message.isPriority ? .priority : .bulk
        case .forward, .forwardRefused: .bulk
        case .standing: .priority
        case .request(_, _, let body), .response(_, _, let body):
            body.count <= smallBytes ? .priority : .bulk
        }
    }
}
