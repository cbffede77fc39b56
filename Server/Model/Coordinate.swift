/// A network coordinate of a node: a point of a Euclidean space plus a height.
///
/// Units: seconds. - Source: Consul: docs/internals/coordinates (Vivaldi, Ledlie).
package struct Coordinate: Hashable, Sendable {
    /// Eight dimensions in Consul's default configuration.
    package var vector: [Double] = []
    package var error: Double = 0
    package var adjustment: Double = 0
    package var height: Double = 0

    package init() {}

    /// The estimated round-trip time to `other` in seconds, or nil when the dimensions differ.
    ///
    /// - Source: Consul: docs/internals/coordinates "Working with Coordinates".
    package func distance(to other: Coordinate) -> Double? {
        guard vector.count == other.vector.count else { return nil }
        var sum = 0.0
        for (left, right) in zip(vector, other.vector) {
            sum += (left - right) * (left - right)
        }
        let raw = sum.squareRoot() + height + other.height
        let adjusted = raw + adjustment + other.adjustment
        return adjusted > 0 ? adjusted : raw
    }
}

/// A node's coordinate in one network segment.
package struct NodeCoordinate: Hashable, Sendable {
    package var node: String = ""
    package var segment: String = ""
    package var coordinate = Coordinate()

    package init() {}
}
