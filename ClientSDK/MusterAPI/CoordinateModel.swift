/// A point in the network's coordinate space; distances are round-trip times.
public struct Coordinate: Codable, Hashable, Sendable {
    /// The Euclidean part, in seconds.
    public var vector: [Double]

    /// How far it may be off, without unit.
    public var error: Double

    /// An offset learnt from observations, in seconds.
    public var adjustment: Double

    /// The part that distance does not explain, in seconds.
    public var height: Double

    private enum CodingKeys: String, CodingKey {
        case vector = "Vec"
        case error = "Error"
        case adjustment = "Adjustment"
        case height = "Height"
    }

    /// Makes the value; what is left out is empty.
    public init(
        vector: [Double] = [],
        error: Double = 0,
        adjustment: Double = 0,
        height: Double = 0
    ) {
        self.vector = vector
        self.error = error
        self.adjustment = adjustment
        self.height = height
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        vector = try members.value(.vector, or: [])
        error = try members.value(.error, or: 0)
        adjustment = try members.value(.adjustment, or: 0)
        height = try members.value(.height, or: 0)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(vector, forKey: .vector)
        try members.encode(error, forKey: .error)
        try members.encode(adjustment, forKey: .adjustment)
        try members.encode(height, forKey: .height)
    }
}

/// A node's coordinate.
///
/// - Source: Consul: GET /v1/coordinate/nodes
public struct CoordinateEntry: Codable, Hashable, Sendable {
    /// The node.
    public var node: String

    /// The network segment.
    public var segment: String

    /// Its coordinate.
    public var coordinate: Coordinate?

    private enum CodingKeys: String, CodingKey {
        case node = "Node"
        case segment = "Segment"
        case coordinate = "Coord"
    }

    /// Makes the value; what is left out is empty.
    public init(
        node: String = "",
        segment: String = "",
        coordinate: Coordinate? = nil
    ) {
        self.node = node
        self.segment = segment
        self.coordinate = coordinate
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        node = try members.value(.node, or: "")
        segment = try members.value(.segment, or: "")
        coordinate = try members.optional(.coordinate)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(node, forKey: .node)
        try members.encode(segment, forKey: .segment)
        try members.encodeIfPresent(coordinate, forKey: .coordinate)
    }
}

/// The coordinates of a datacenter's servers.
///
/// - Source: Consul: GET /v1/coordinate/datacenters
public struct DatacenterCoordinates: Codable, Hashable, Sendable {
    /// The datacenter.
    public var datacenter: String

    /// The network area.
    public var areaID: String

    /// The servers' coordinates.
    public var coordinates: [CoordinateEntry]

    private enum CodingKeys: String, CodingKey {
        case datacenter = "Datacenter"
        case areaID = "AreaID"
        case coordinates = "Coordinates"
    }

    /// Makes the value; what is left out is empty.
    public init(
        datacenter: String = "",
        areaID: String = "",
        coordinates: [CoordinateEntry] = []
    ) {
        self.datacenter = datacenter
        self.areaID = areaID
        self.coordinates = coordinates
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        datacenter = try members.value(.datacenter, or: "")
        areaID = try members.value(.areaID, or: "")
        coordinates = try members.value(.coordinates, or: [])
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(datacenter, forKey: .datacenter)
        try members.encode(areaID, forKey: .areaID)
        try members.encode(coordinates, forKey: .coordinates)
    }
}
