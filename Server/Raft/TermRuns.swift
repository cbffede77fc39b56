import Model

/// The term of every entry of the log, stored as runs of equal terms.
///
/// It keeps `term(at:)` exact for the whole log in a few dozen bytes, so that the core needs the
/// disk only for payloads.
struct TermRuns: Sendable {
    private struct Run: Sendable {
        var first: LogIndex
        var term: Term
    }

    /// Invariant: `first` and `term` strictly ascending; the first run starts at `base`.
    private var runs: [Run]
    /// The last compacted entry, whose term is still known.
    private(set) var base: LogPosition
    private(set) var last: LogIndex

    init(base: LogPosition) {
        self.base = base
        last = base.index
        runs = [Run(first: base.index, term: base.term)]
    }

    /// The term of the entry at `index`; nil when it is compacted or not there.
    ///
    /// Complexity: logarithmic in the number of terms.
    func term(at index: LogIndex) -> Term? {
        guard index >= base.index, index <= last else { return nil }
        return runs[runIndex(of: index)].term
    }

    /// The term of the last entry.
    var lastTerm: Term {
        runs.last?.term ?? base.term
    }

    mutating func append(_ term: Term) {
        last = last.next
        if term != lastTerm { runs.append(Run(first: last, term: term)) }
    }

    /// Forgets the entries after `index`.
    mutating func truncate(after index: LogIndex) {
        guard index < last, index >= base.index else { return }
        last = index
        while let run = runs.last, run.first > index { runs.removeLast() }
    }

    /// Forgets the entries up to and including `index`, but for the term of that one.
    mutating func compact(through index: LogIndex) {
        guard index > base.index, let term = term(at: index) else { return }
        runs.removeFirst(runIndex(of: index))
        base = LogPosition(index: index, term: term)
        runs[0].first = index
    }

    /// The last entry not after `limit` whose term is at most `term`; the base when there is none.
    ///
    /// - Source: Raft §5.3, skipping a term per rejection.
    func lastPosition(notAfter limit: LogIndex, termAtMost term: Term) -> LogPosition {
        var end = min(limit, last)
        for run in runs.reversed() where run.first <= end {
            if run.term <= term { return LogPosition(index: end, term: run.term) }
            end = run.first.previous
        }
        return base
    }

    private func runIndex(of index: LogIndex) -> Int {
        var low = 0
        var high = runs.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if runs[middle].first <= index { low = middle } else { high = middle }
        }
        return low
    }
}
