/// Which few of many instances one client uses, so that not everybody connects to everybody.
public struct Subset: Hashable, Sendable {
    enum Kind: Hashable {
        case rendezvous(client: UInt64)
        case rounds(client: Int)
    }

    let kind: Kind

    /// How many instances are used; at least 1.
    public let size: Int

    /// Each client takes the instances that bid highest for its name.
    ///
    /// Needs no agreement among clients and moves the fewest connections on any change; the number
    /// of clients per instance varies as random choice does.
    ///
    /// - Parameters:
    ///   - size: How many instances are used.
    ///   - client: What tells this client from others, like its own instance's id.
    /// - Returns: The subset.
    /// - Source: gRPC A68.
    public static func rendezvous(size: Int, client: String) -> Subset {
        Subset(kind: .rendezvous(client: StableHash.of(client)), size: max(1, size))
    }

    /// Clients are dealt the instances like cards: each has as many clients as the others.
    ///
    /// Needs clients that are numbered from 0 without gaps. A change of membership moves more than
    /// ``rendezvous(size:client:)`` does.
    ///
    /// - Parameters:
    ///   - size: How many instances are used.
    ///   - clientNumber: This client's number.
    /// - Returns: The subset.
    /// - Source: Site Reliability Engineering (2016), chapter 20, "Deterministic Subsetting".
    /// - Deviation: What is left when the number of instances is not a multiple of `size` goes
    ///   into the next deal instead of being unused.
    public static func rounds(size: Int, clientNumber: Int) -> Subset {
        Subset(kind: .rounds(client: max(0, clientNumber)), size: max(1, size))
    }

    /// The positions this client uses, in order.
    ///
    /// Complexity: O(n log n).
    ///
    /// - Parameter hashes: What tells the instances apart, the same in all clients.
    /// - Returns: The positions in `hashes`.
    func choose(_ hashes: [UInt64]) -> [Int] {
        guard size < hashes.count else { return Array(hashes.indices) }
        switch kind {
        case .rendezvous(let client):
            let bids = hashes.map { StableHash.combine($0, client) }
            let order = hashes.indices.sorted { (bids[$0], $0) > (bids[$1], $1) }
            return order.prefix(size).sorted()
        case .rounds(let client):
            // One endless row of shuffled decks; client c takes cards c × size and on.
            let first = client.multipliedReportingOverflow(by: size)
            let start = first.overflow ? client : first.partialValue
            var chosen: [Int] = []
            var deck = start / hashes.count
            var cards = Self.deck(deck, of: hashes)
            var next = start % hashes.count
            while chosen.count < size {
                if next == cards.count {
                    deck &+= 1
                    cards = Self.deck(deck, of: hashes)
                    next = 0
                }
                // The next deck may begin with cards that this client already holds.
                if !chosen.contains(cards[next]) { chosen.append(cards[next]) }
                next += 1
            }
            return chosen.sorted()
        }
    }

    private static func deck(_ number: Int, of hashes: [UInt64]) -> [Int] {
        let keys = hashes.map { StableHash.combine($0, UInt64(number)) }
        return hashes.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
    }
}
