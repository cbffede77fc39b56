extension Roster {
    /// Who may be picked from `snapshot` now.
    ///
    /// In this order: maintenance and weight 0 are left out, then the unhealthy, then all but the
    /// subset, then the ejected; in a panic the unhealthy and the ejected stay; then zones and
    /// warm-up scale the weights.
    ///
    /// - Parameters:
    ///   - snapshot: The snapshot that was adopted last.
    ///   - now: When, in ticks.
    /// - Returns: Those who may be picked; empty only if all are in maintenance, or all unhealthy
    ///   without a panic.
    func select(_ snapshot: ServiceSnapshot, now: Int64) -> Selection {
        let instances = snapshot.instances
        let willing = weighted(instances, from: .critical)
        let healthy = weighted(instances, from: .warning)
        var selection = Selection()
        var chosen: [Int]
        if isPanic(healthy.count, of: willing.count) {
            selection.isPanicking = !willing.isEmpty
            chosen = subset(willing)
        } else {
            let used = subset(healthy)
            chosen = used.filter { members[$0].ejection == nil }
            if chosen.isEmpty || isPanic(chosen.count, of: used.count) {
                selection.isPanicking = chosen.count < used.count
                chosen = used
            } else {
                selection.probes = used.filter {
                    members[$0].ejection?.isOnProbation == true
                }
            }
        }
        chosen = Array(chosen.prefix(Limits.instances))
        selection.probes = Array(selection.probes.prefix(Limits.instances - chosen.count))
        weigh(chosen, instances, now: now, into: &selection)
        return selection
    }

    private func isPanic(_ count: Int, of all: Int) -> Bool {
        Double(count) < settings.panicThreshold * Double(all)
    }

    /// Those of at least that health that have a weight, or all of them when none has one.
    private func weighted(_ instances: [Instance], from health: Health) -> [Int] {
        let indices = instances.indices.filter { instances[$0].health <= health }
        let weighted = indices.filter { instances[$0].weight > 0 }
        return weighted.isEmpty ? indices : weighted
    }

    private func subset(_ indices: [Int]) -> [Int] {
        guard let subset = settings.subset else { return indices }
        let hashes = indices.map { members[$0].hash }
        return subset.choose(hashes).map { indices[$0] }
    }

    /// Scales the weights of those chosen; who is scaled to nothing is left out.
    private func weigh(
        _ chosen: [Int],
        _ instances: [Instance],
        now: Int64,
        into selection: inout Selection
    ) {
        let weights = chosen.map { index in
            settings.usesWeights ? max(1, min(instances[index].weight, Limits.weight)) : 1
        }
        var factors = [Double](repeating: 1, count: chosen.count)
        if let zone = settings.zone {
            factors = ZonePreference.factors(
                own: zone,
                zones: chosen.map { instances[$0].zone },
                weights: weights
            )
        }
        if let slowStart = settings.slowStart {
            for (position, index) in chosen.enumerated() {
                guard let since = members[index].warmingSince else { continue }
                let share = slowStart.share(after: now - since)
                if share < 1 { selection.isWarming = true }
                factors[position] *= share
            }
        }
        let kept = chosen.indices.filter { factors[$0] > 0 }
        selection.indices = kept.map { chosen[$0] }
        selection.weights = Self.scaled(
            weights: kept.map { weights[$0] },
            factors: kept.map { factors[$0] }
        )
    }

    /// Whole weights in proportion to weight times factor; the weights themselves if all factors
    /// are equal.
    static func scaled(weights: [UInt32], factors: [Double]) -> [UInt32] {
        guard let first = factors.first, factors.contains(where: { $0 != first }) else {
            return weights
        }
        let products = zip(weights, factors).map { Double($0) * $1 }
        guard let largest = products.max(), let heaviest = weights.max() else { return weights }
        let top = min(UInt64(Limits.weight), UInt64(heaviest) * UInt64(Limits.weightScale))
        return products.map { UInt32(max(1, ($0 / largest * Double(top)).rounded())) }
    }
}
