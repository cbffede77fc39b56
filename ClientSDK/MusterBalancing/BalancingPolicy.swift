/// How a balancer chooses among instances.
public struct BalancingPolicy: Hashable, Sendable {
    enum Kind: Hashable {
        case roundRobin
        case weightedRoundRobin
        case smoothWeightedRoundRobin
        case random
        case weightedRandom
    }

    let kind: Kind

    /// Each in turn.
    ///
    /// Weights do not count, except that 0 means none. Every thread keeps a turn of its own, from a
    /// random start: evenness holds per thread.
    public static let roundRobin = BalancingPolicy(kind: .roundRobin)

    /// Each in turn, lighter ones skipping turns (static stride): no memory, made for large lists.
    public static let weightedRoundRobin = BalancingPolicy(kind: .weightedRoundRobin)

    /// Each as often as its weight says, its turns spread evenly over a schedule made in advance.
    public static let smoothWeightedRoundRobin = BalancingPolicy(kind: .smoothWeightedRoundRobin)

    /// Any, all alike.
    ///
    /// Weights do not count, except that 0 means none.
    public static let random = BalancingPolicy(kind: .random)

    /// Any, heavier ones in proportion more often.
    public static let weightedRandom = BalancingPolicy(kind: .weightedRandom)
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
        }
    }
}

extension BalancingPolicy {
    /// The words a table needs beside its endpoints, for instances of these weights (none is 0).
    func plan(weights: [UInt32]) -> [UInt64] {
        switch kind {
        case .roundRobin, .random: []
        case .weightedRoundRobin: StaticStride.scaled(weights)
        case .smoothWeightedRoundRobin: SmoothSchedule(weights: weights).steps.map(UInt64.init)
        case .weightedRandom: AliasTable(weights: weights).columns
        }
    }
}
