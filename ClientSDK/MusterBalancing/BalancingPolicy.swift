/// How a balancer chooses among instances.
///
/// A weight of 0 means none under every policy; see ``Instance/weight``.
public struct BalancingPolicy: Hashable, Sendable {
    enum Kind: Hashable {
        case roundRobin
        case weightedRoundRobin
        case smoothWeightedRoundRobin
        case random
        case weightedRandom
        case leastRequest(choices: Int)
        case peakEWMA(decay: Duration, penalty: Duration)
        case consistentHash(HashTable, bound: Double?)
        case custom(CustomPolicy)

        var isPeakEWMA: Bool { if case .peakEWMA = self { true } else { false } }

        /// Whether a pick with a key is a look into the table.
        var hasPlainKeys: Bool {
            if case .consistentHash(_, nil) = self { true } else { false }
        }

        /// Whether a pick without a key needs more than a look into the table.
        var usesKeys: Bool {
            switch self {
            case .consistentHash, .custom: true
            default: false
            }
        }
    }

    let kind: Kind

    /// Each in turn.
    ///
    /// Weights do not count, except that 0 means none. Every thread keeps a turn of its own, from a
    /// random start: evenness holds per thread.
    public static let roundRobin = BalancingPolicy(kind: .roundRobin)

    /// Each in turn, lighter ones skipping turns (static stride): little memory, for large lists.
    ///
    /// Weights count relative to the heaviest, in steps of 1/65,535 of it.
    ///
    /// - Source: gRPC A58.
    public static let weightedRoundRobin = BalancingPolicy(kind: .weightedRoundRobin)

    /// Each as often as its weight says, its turns spread evenly over a schedule made in advance.
    ///
    /// - Source: nginx `ngx_http_upstream_round_robin.c`.
    public static let smoothWeightedRoundRobin = BalancingPolicy(kind: .smoothWeightedRoundRobin)

    /// Any, all alike.
    ///
    /// Weights do not count, except that 0 means none.
    public static let random = BalancingPolicy(kind: .random)

    /// Any, heavier ones in proportion more often.
    ///
    /// - Source: Walker's alias method, Vose (1991).
    public static let weightedRandom = BalancingPolicy(kind: .weightedRandom)

    /// Of a few drawn at random, the one with the fewest calls in flight for its weight.
    ///
    /// The first is drawn by weight and the others are different ones; among idle instances the
    /// first is taken.
    ///
    /// - Parameter choices: How many are drawn; clamped to 2…10.
    /// - Returns: The policy.
    /// - Source: Mitzenmacher (2001); gRPC A48.
    public static func leastRequest(choices: Int = 2) -> BalancingPolicy {
        BalancingPolicy(kind: .leastRequest(choices: max(2, min(choices, Limits.choices))))
    }

    /// Of two drawn at random, the one with the lower latency times calls in flight.
    ///
    /// The latency follows peaks at once and forgets them with time. An instance without a known
    /// latency gets one call at a time until it has answered. Needs the times: give `at:` to
    /// ``Balancer/pick(_:at:)`` and the latency to ``Pick/complete(_:latency:at:)``.
    ///
    /// - Parameters:
    ///   - decay: After how long without calls a latency counts e times less; at least 1 ms.
    ///   - failurePenalty: The least latency that a failed call counts as, so that an instance
    ///     which fails fast does not look fast.
    /// - Returns: The policy.
    /// - Source: Finagle `PeakEwma.scala`.
    public static func peakEWMA(
        decay: Duration = .seconds(10),
        failurePenalty: Duration = .seconds(1)
    ) -> BalancingPolicy {
        let decay = max(decay, .milliseconds(1))
        return BalancingPolicy(kind: .peakEWMA(decay: decay, penalty: failurePenalty))
    }

    /// The instance that the request's key belongs to; few keys move when instances come or go.
    ///
    /// Requests without a key go anywhere, at random.
    ///
    /// - Parameters:
    ///   - table: How keys are looked up.
    ///   - boundedLoad: How much more than its share of the calls in flight an instance may have
    ///     before its keys go to others, 1.25 for a quarter more; clamped to at least 1.01. nil
    ///     sets no bound and costs nothing.
    /// - Returns: The policy.
    /// - Source: Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads" (2016).
    /// - Deviation: Overflow goes to where a rehash of the key points, not to the next on the ring,
    ///   so that it does not all fall on one neighbour.
    public static func consistentHash(
        _ table: HashTable = .maglev(),
        boundedLoad: Double? = nil
    ) -> BalancingPolicy {
        let bound = boundedLoad.map { $0 > 1.01 ? $0 : 1.01 }
        return BalancingPolicy(kind: .consistentHash(table, bound: bound))
    }

    /// The instance that the session's key belongs to, the fewest sessions moving on any change.
    ///
    /// The same as ``consistentHash(_:boundedLoad:)`` over ``HashTable/rendezvous``.
    public static let sticky = consistentHash(.rendezvous)

    /// What a picker of one's own says.
    ///
    /// - Parameters:
    ///   - name: The policy's name, as metrics label it.
    ///   - make: Makes a picker for each list of instances.
    /// - Returns: The policy; equal only to itself.
    public static func custom(
        _ name: String,
        _ make: @escaping @Sendable (PickerContext) -> any InstancePicker
    ) -> BalancingPolicy {
        BalancingPolicy(kind: .custom(CustomPolicy(name: name, make: make)))
    }
}

/// How the keys of consistent hashing are looked up.
public struct HashTable: Hashable, Sendable {
    enum Kind: Hashable {
        case ring(minimum: Int, maximum: Int)
        case maglev(size: Int)
        case rendezvous
    }

    let kind: Kind

    /// A ring with several places per instance.
    ///
    /// - Parameters:
    ///   - minimum: The least number of places; more spread keys more evenly. At least 1.
    ///   - maximum: The most places; clamped to 262,144, and exceeded when there are more
    ///     instances than places.
    /// - Returns: The table.
    /// - Source: gRPC A42.
    public static func ring(minimum: Int = 1024, maximum: Int = 4096) -> HashTable {
        let most = max(1, min(maximum, Limits.ringPlaces))
        return HashTable(kind: .ring(minimum: max(1, min(minimum, most)), maximum: most))
    }

    /// A table that names the instance of each slot: the fastest look-up, the evenest shares.
    ///
    /// - Parameter size: The number of slots, rounded up to a prime and clamped to 1,048,583;
    ///   should be at least a hundred times the number of instances. An instance whose share is
    ///   less than a slot may get none.
    /// - Returns: The table.
    /// - Source: Eisenbud et al., "Maglev" (2016), §3.4.
    public static func maglev(size: Int = 65_537) -> HashTable {
        HashTable(kind: .maglev(size: size))
    }

    /// No table: every instance bids for the key, at a cost that grows with their number.
    ///
    /// - Source: Thaler, Ravishankar (1998).
    public static let rendezvous = HashTable(kind: .rendezvous)
}

extension BalancingPolicy: CustomStringConvertible {
    /// The policy's name, as metrics label it.
    public var description: String {
        switch kind {
        case .roundRobin: "round_robin"
        case .weightedRoundRobin: "weighted_round_robin"
        case .smoothWeightedRoundRobin: "smooth_weighted_round_robin"
        case .random: "random"
        case .weightedRandom: "weighted_random"
        case .leastRequest: "least_request"
        case .peakEWMA: "peak_ewma"
        case .consistentHash(let table, _):
            switch table.kind {
            case .ring: "ring_hash"
            case .maglev: "maglev"
            case .rendezvous: "rendezvous"
            }
        case .custom(let policy): policy.name
        }
    }
}

extension BalancingPolicy {
    /// Whether the registered weights count; if not, only what is made of them meanwhile.
    var usesWeights: Bool {
        switch kind {
        case .roundRobin, .random: false
        default: true
        }
    }

    /// Whether calls in flight must be counted.
    var needsTracking: Bool {
        switch kind {
        case .leastRequest, .peakEWMA, .custom: true
        case .consistentHash(_, let bound): bound != nil
        default: false
        }
    }
}
