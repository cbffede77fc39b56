/// How calls are kept within a zone as long as that overloads nobody.
///
/// Clients are taken to be spread evenly over the zones, so each zone should carry an equal part of
/// the calls. A zone with at least its part of the capacity serves its own clients alone. A smaller
/// one serves as many of their calls as its capacity allows, and the rest spills over to the zones
/// that have more than their part, in proportion to what they have left.
///
/// - Source: Envoy `zone_aware.rst`.
enum ZonePreference {
    /// What each instance's weight must be multiplied by.
    ///
    /// 0 leaves it out. All are 1 when the client's zone has no instance. Instances without a zone
    /// count as one zone of their own.
    ///
    /// - Parameters:
    ///   - own: The client's zone.
    ///   - zones: The zone of each instance.
    ///   - weights: The weight of each instance.
    /// - Returns: The factors, in the order of the instances.
    static func factors(own: String, zones: [String?], weights: [UInt32]) -> [Double] {
        var capacities: [String?: Double] = [:]
        for (zone, weight) in zip(zones, weights) { capacities[zone, default: 0] += Double(weight) }
        guard let local = capacities[own], local > 0 else {
            return [Double](repeating: 1, count: zones.count)
        }
        // Sums of whole numbers below 2^53: the order of the dictionary does not matter.
        let total = weights.reduce(0.0) { $0 + Double($1) }
        let part = total / Double(capacities.count)
        if local >= part { return zones.map { $0 == own ? 1 : 0 } }
        let spill = 1 - local / part
        // Whole numbers again, so that their sum is exact in any order.
        let left = capacities.mapValues { max(0, ($0 - part) * 4096).rounded() }
        let spare = left.values.reduce(0, +)
        return zones.map { zone in
            guard let capacity = capacities[zone], zone != own else { return (1 - spill) / local }
            return spill * (left[zone] ?? 0) / spare / capacity
        }
    }
}
