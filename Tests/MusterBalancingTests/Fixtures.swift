import MusterBalancing

/// Instances `a0`, `a1`, … with the given weights, in id order.
func instances(weights: [UInt32], health: Health = .passing) -> [Instance] {
    weights.enumerated().compactMap { position, weight in
        let high = position / 250
        let low = position % 250 + 1
        guard let endpoint = ServiceEndpoint(host: "10.0.\(high).\(low)", port: 8080) else {
            return nil
        }
        return Instance(
            id: InstanceID(node: "n\(10_000 + position)", serviceID: "web"),
            endpoint: endpoint,
            weight: weight,
            health: health
        )
    }
}

func snapshot(_ instances: [Instance], generation: UInt64 = 1) -> ServiceSnapshot {
    ServiceSnapshot(instances: instances, generation: generation, confirmed: .now)
}

/// A balancer whose one thread takes turns in exact order.
func balancer(
    _ policy: BalancingPolicy,
    weights: [UInt32],
    seed: UInt64 = 1
) -> Balancer {
    var options = Balancer.Options()
    options.stripes = 1
    options.seed = seed
    let balancer = Balancer(policy: policy, options: options)
    balancer.update(snapshot(instances(weights: weights)))
    return balancer
}

extension Balancer {
    /// How often each instance was picked in `picks` picks.
    func counts(picks: Int, instances: Int) throws -> [Int] {
        var counts = [Int](repeating: 0, count: instances)
        for _ in 0..<picks {
            let pick = try pick()
            counts[pick.index] += 1
            pick.complete(.success)
        }
        return counts
    }
}

/// The statistic of a chi-square test: how far counts are from their expected shares.
func chiSquare(_ counts: [Int], shares: [Double]) -> Double {
    let total = Double(counts.reduce(0, +))
    let sum = shares.reduce(0, +)
    return zip(counts, shares).reduce(0) { statistic, pair in
        let expected = total * pair.1 / sum
        let difference = Double(pair.0) - expected
        return statistic + difference * difference / expected
    }
}

/// A bound that chi-square stays below but once in about 30,000 seeds: mean + 4 deviations + 4.
func chiSquareBound(_ count: Int) -> Double {
    let freedom = Double(count - 1)
    return freedom + 4 * (2 * freedom).squareRoot() + 4
}

extension Balancer {
    /// The instance positions that the keys go to.
    func positions(of keys: [UInt64]) throws -> [InstanceID] {
        guard let snapshot else { return [] }
        return try keys.map { key in
            let pick = try pick(PickRequest(hash: key))
            let index = pick.index
            pick.complete(.success)
            return snapshot.instances[index].id
        }
    }
}

/// Keys as callers hash them.
func keys(_ count: Int) -> [UInt64] { (0..<count).map { StableHash.of("customer-\($0)") } }
