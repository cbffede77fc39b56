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
