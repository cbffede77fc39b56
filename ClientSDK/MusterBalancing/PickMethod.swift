/// How a thread finds its instance in a table; what a policy comes down to for given weights.
enum PickMethod: UInt8 {
    case roundRobin
    case stride
    case schedule
    case random
    case alias
    case leastRequest
    case peakEWMA
    case ring
    case maglev
    case rendezvous
    case custom

    /// Whether the key of the request decides.
    @inline(__always)
    var usesKey: Bool { self == .ring || self == .maglev || self == .rendezvous }
}

/// A way to choose and the words it reads.
struct PickPlan {
    let method: PickMethod
    var words: [UInt64] = []

    init(method: PickMethod, words: [UInt64] = []) {
        self.method = method
        self.words = words
    }

    /// What `policy` comes down to.
    ///
    /// Equal weights need no weighted method, and unequal ones turn an even policy into a weighted
    /// one: an instance that warms up, or one of a zone that only takes what spills over, has less
    /// than its share under every policy.
    ///
    /// - Parameters:
    ///   - policy: How instances are chosen.
    ///   - weights: The weights that count for this policy, none 0.
    ///   - hashes: What tells the instances apart; only read by policies with keys.
    init(policy: BalancingPolicy, weights: [UInt32], hashes: @autoclosure () -> [UInt64]) {
        let even = weights.allSatisfy { $0 == weights.first }
        switch policy.kind {
        case .roundRobin, .weightedRoundRobin:
            self.init(
                method: even ? .roundRobin : .stride,
                words: even ? [] : StaticStride.packed(weights)
            )
        case .smoothWeightedRoundRobin:
            self.init(
                method: even ? .roundRobin : .schedule,
                words: even ? [] : SmoothSchedule(weights: weights).steps.map(UInt64.init)
            )
        case .random, .weightedRandom:
            self.init(
                method: even ? .random : .alias,
                words: even ? [] : AliasTable(weights: weights).columns
            )
        case .leastRequest, .peakEWMA:
            self.init(
                method: policy.kind.isPeakEWMA ? .peakEWMA : .leastRequest,
                words: AliasTable(weights: weights).columns + weights.map(UInt64.init)
            )
        case .consistentHash(let table, let bound):
            self.init(table: table, weights: weights, hashes: hashes())
            guard bound != nil else { return }
            let total = weights.reduce(UInt64(0)) { $0 + UInt64($1) }
            words += weights.map(UInt64.init) + [total]
        case .custom:
            self.init(method: .custom)
        }
    }

    private init(table: HashTable, weights: [UInt32], hashes: [UInt64]) {
        switch table.kind {
        case .ring(let minimum, let maximum):
            self.init(
                method: .ring,
                words: HashRing.words(
                    hashes: hashes,
                    weights: weights,
                    minimum: minimum,
                    maximum: maximum
                )
            )
        case .maglev(let size):
            let prime = MaglevTable.prime(atLeast: max(size, weights.count))
            self.init(
                method: .maglev,
                words: MaglevTable.words(hashes: hashes, weights: weights, size: prime)
            )
        case .rendezvous:
            self.init(
                method: .rendezvous,
                words: Rendezvous.words(hashes: hashes, weights: weights)
            )
        }
    }
}
