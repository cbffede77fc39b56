import Model

/// A period of time with at most one leader; terms number the elections.
///
/// Range: 0 before the first election. Never goes back on one server, across restarts too.
/// - Source: Raft §5.1.
package struct Term: RawRepresentable, Hashable, Comparable, Sendable {
    package var rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Before the first election.
    package static let zero = Term(rawValue: 0)

    package static func < (left: Term, right: Term) -> Bool {
        left.rawValue < right.rawValue
    }

    /// The term that the next campaign asks for.
    package var next: Term {
        Term(rawValue: rawValue + 1)
    }
}

/// The lasting name of one server: its id in 128 bits, never used again for another server.
///
/// - Source: Consul: the `node-id` file, a UUID.
package struct NodeID: RawRepresentable, Hashable, Comparable, Sendable {
    package var rawValue: UInt128

    package init(rawValue: UInt128) {
        self.rawValue = rawValue
    }

    package static func < (left: NodeID, right: NodeID) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// Names a request of the shell; the core gives it back with the answer and reads nothing into it.
package struct RequestToken: RawRepresentable, Hashable, Comparable, Sendable {
    package var rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    package static func < (left: RequestToken, right: RequestToken) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension LogIndex {
    /// The greatest index that is believed of a peer, so that sums never overflow.
    static let greatestPlausible = LogIndex(rawValue: 1 << 60)

    /// The index before this one; `zero` stays `zero`.
    var previous: LogIndex {
        LogIndex(rawValue: rawValue == 0 ? 0 : rawValue - 1)
    }

    /// The index `count` places later.
    func advanced(by count: Int) -> LogIndex {
        LogIndex(rawValue: rawValue + UInt64(max(0, count)))
    }

    /// How many places this lies behind `earlier`; 0 when it does not.
    func distance(after earlier: LogIndex) -> Int {
        self > earlier ? Int(clamping: rawValue - earlier.rawValue) : 0
    }
}

extension Term {
    /// The greatest term that is believed of a peer, so that `next` never overflows.
    static let greatestPlausible = Term(rawValue: 1 << 60)
}
