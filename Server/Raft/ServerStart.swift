package import Model

/// The openings of one log: each time it is opened it draws a number that no other opening has.
///
/// An old image of a disk goes on from its own past, so what it draws next is not what its server
/// had drawn: who remembers the number of one opening knows whether a later one descends from it.
package struct Openings: Hashable, Sendable {
    /// How often the log was opened, the present time included; 0 for a log that never was.
    package private(set) var count: UInt64
    /// The number of the first opening: the name of the log.
    package private(set) var birth: UInt128
    /// The numbers of the last openings, the present one first.
    ///
    /// Invariant: as many as there were openings, but `limit` at most.
    package private(set) var recent: [UInt128]

    /// How many numbers are kept; who was last seen more openings ago is not recognised by them.
    package static let limit = 16

    /// A log that was never opened.
    package init() {
        count = 0
        birth = 0
        recent = []
    }

    /// The openings as they were written down; nil when no log has such openings.
    package init?(count: UInt64, birth: UInt128, recent: [UInt128]) {
        guard UInt64(recent.count) == min(count, UInt64(Openings.limit)),
            count > UInt64(Openings.limit) || recent.last ?? 0 == birth
        else { return nil }
        self.count = count
        self.birth = birth
        self.recent = recent
    }

    /// Counts one more opening.
    package mutating func open(as number: UInt128) {
        if count == 0 { birth = number }
        count += 1
        recent.insert(number, at: 0)
        if recent.count > Openings.limit { recent.removeLast() }
    }

    /// The number of the present opening; 0 when there was none.
    package var number: UInt128 { recent.first ?? 0 }

    /// The number of the opening that was the `count`th; nil when it is not known any more.
    func number(at count: UInt64) -> UInt128? {
        guard count <= self.count, self.count - count < UInt64(recent.count) else { return nil }
        return recent[Int(self.count - count)]
    }
}

/// What a server says of its disk as it was when it started; part of every greeting.
package struct ServerStart: Hashable, Sendable {
    package var openings: Openings
    /// The term on its disk.
    package var term: Term
    /// The last entry on its disk, or of its snapshot when there is none behind it.
    package var last: LogIndex

    package init(openings: Openings, term: Term, last: LogIndex) {
        self.openings = openings
        self.term = term
        self.last = last
    }
}
