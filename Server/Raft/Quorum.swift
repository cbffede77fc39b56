/// Majorities of a plain list of voters.
package enum Quorum {
    /// What an election has come to.
    package enum Outcome: Hashable, Sendable {
        case won, lost
        /// Votes are still missing.
        case pending
    }

    /// How many of `count` voters are a majority.
    package static func majority(of count: Int) -> Int {
        count / 2 + 1
    }

    /// The greatest value that a majority of `voters` has reached; nil without voters.
    ///
    /// Complexity: n log n in the number of voters.
    package static func reached<Value: Comparable>(
        _ voters: [NodeID],
        by value: (NodeID) -> Value
    ) -> Value? {
        guard !voters.isEmpty else { return nil }
        let descending = voters.map(value).sorted(by: >)
        return descending[majority(of: voters.count) - 1]
    }

    /// What the votes decide; a vote is true, false, or nil when it has not come.
    package static func outcome(_ voters: [NodeID], of vote: (NodeID) -> Bool?) -> Outcome {
        var granted = 0
        var missing = 0
        for voter in voters {
            switch vote(voter) {
            case true?: granted += 1
            case false?: break
            case nil: missing += 1
            }
        }
        let needed = majority(of: voters.count)
        if granted >= needed { return .won }
        return granted + missing >= needed ? .pending : .lost
    }
}
