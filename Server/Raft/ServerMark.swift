package import Model

/// What one server remembers of another: the least that the other one's disk must hold.
///
/// All of it was on the other disk once and is never taken back, not by a crash either. Whoever
/// starts with less runs on an old image of its disk: it may vote a second time in a term, and what
/// it helped to commit may be gone.
package struct ServerMark: Hashable, Sendable {
    /// The last opening that was seen: the name of the log, how many there were, its number.
    package private(set) var birth: UInt128
    package private(set) var count: UInt64
    package private(set) var number: UInt128
    /// The greatest term that was on its disk.
    package private(set) var term: Term
    /// How far it has acknowledged entries of a leader of `term`; zero when it did to nobody known.
    ///
    /// Only a later leader may have it drop entries that it has acknowledged.
    package private(set) var acknowledged: LogIndex
    /// Entries up to here are committed and were on its disk, or in its snapshot.
    package private(set) var kept: LogIndex

    /// What a server's first greeting shows.
    package init(_ start: ServerStart) {
        birth = start.openings.birth
        count = start.openings.count
        number = start.openings.number
        term = start.term
        acknowledged = .zero
        kept = .zero
    }

    /// A mark as it was written down.
    package init(
        birth: UInt128,
        count: UInt64,
        number: UInt128,
        term: Term,
        acknowledged: LogIndex,
        kept: LogIndex
    ) {
        self.birth = birth
        self.count = count
        self.number = number
        self.term = term
        self.acknowledged = acknowledged
        self.kept = kept
    }

    /// Why a start of the same log cannot be a later one than what was seen; nil when it can.
    ///
    /// - Precondition: `start` is of the same log: the births are equal.
    package func objection(to start: ServerStart) -> String? {
        let openings = start.openings
        precondition(openings.birth == birth, "the mark is of another log")
        guard openings.count >= count else {
            return "its log was opened \(openings.count) times, but it was known to have been "
                + "opened \(count) times"
        }
        if let found = openings.number(at: count), found != number {
            return "its log is not the one that was opened for the \(count)th time: that opening "
                + "had another number"
        }
        // What came since the present start is not in what it says of that start.
        guard openings.count > count else { return nil }
        guard start.term >= term else {
            return "its log was of term \(start.term.rawValue) when it started, but it was known "
                + "to have been in term \(term.rawValue)"
        }
        let least = start.term == term ? max(kept, acknowledged) : kept
        guard start.last >= least else {
            return "its log ended at entry \(start.last.rawValue) when it started, but it was "
                + "known to have entry \(least.rawValue)"
        }
        return nil
    }

    /// Takes in a start to which there is no objection; false when it was known.
    @discardableResult
    package mutating func follow(_ start: ServerStart) -> Bool {
        guard start.openings.count > count else { return false }
        count = start.openings.count
        number = start.openings.number
        raise(term: start.term, acknowledged: .zero, kept: .zero)
        return true
    }

    /// Takes in what the server has shown since; less than is known changes nothing.
    ///
    /// - Parameters:
    ///   - term: On its disk.
    ///   - acknowledged: On its disk, said to the leader of that term.
    ///   - kept: Committed, and on its disk.
    package mutating func raise(term: Term, acknowledged: LogIndex, kept: LogIndex) {
        if term > self.term {
            self.term = term
            self.acknowledged = .zero
        }
        if term == self.term { self.acknowledged = max(self.acknowledged, acknowledged) }
        self.kept = max(self.kept, kept)
    }
}
