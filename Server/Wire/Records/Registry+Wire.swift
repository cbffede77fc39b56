package import Model

extension KeyValueEntry: WireRecord {
    package static var goType: String { "structs.DirEntry" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("LockIndex", &lockIndex)
        try visitor.field("Key", &key)
        try visitor.field("Flags", &flags)
        try visitor.bytes("Value", &value)
        try visitor.field("Session", &session, .omitEmpty)
        try visitor.indexes(&indexes)
    }
}

extension Session: WireRecord {
    package static var goType: String { "structs.Session" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("ID", &id)
        try visitor.field("Name", &name)
        try visitor.field("Node", &node)
        try visitor.field("LockDelay", &lockDelay)
        try visitor.field("Behavior", &behavior)
        try visitor.field("TTL", &ttl)
        try visitor.field("NodeChecks", &nodeChecks)
        try visitor.field("ServiceChecks", &serviceChecks)
        try visitor.field("Checks", &checks, .omitEmpty)
        try visitor.indexes(&indexes)
    }
}

extension SessionBehavior: WireValue {
    package static var goType: String { "structs.SessionBehavior" }
    package var isZero: Bool { false }

    package init() {
        self = .release
    }

    package func writeJSON(_ writer: inout JSONWriter) {
        writer.string(rawValue)
    }

    package mutating func readJSON(_ reader: inout JSONReader) throws(WireError) {
        var text = rawValue
        try text.readJSON(&reader)
        try set(text)
    }

    package func writePack(_ writer: inout MessagePackWriter) {
        writer.string(rawValue)
    }

    package mutating func readPack(_ reader: inout MessagePackReader) throws(WireError) {
        try set(try reader.string())
    }

    /// Empty is the default, as in the request to end a session.
    private mutating func set(_ text: String) throws(WireError) {
        guard let value = text.isEmpty ? .release : SessionBehavior(rawValue: text) else {
            throw WireError(.value, "Invalid Behavior setting '\(text)'")
        }
        self = value
    }
}

extension ServiceCheckReference: WireRecord {
    package static var goType: String { "structs.ServiceCheck" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("ID", &id)
        try visitor.field("Namespace", &namespace)
    }
}

extension NodeCoordinate: WireRecord {
    package static var goType: String { "structs.Coordinate" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Node", &node)
        try visitor.field("Segment", &segment)
        try visitor.field("Coord", &coordinate)
    }
}

extension Coordinate: WireRecord {
    package static var goType: String { "coordinate.Coordinate" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Vec", &vector)
        try visitor.field("Error", &error)
        try visitor.field("Adjustment", &adjustment)
        try visitor.field("Height", &height)
    }
}

extension AutopilotConfiguration: WireRecord {
    package static var goType: String { "autopilot.Config" }
    package static var startsAtZero: Bool { false }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("CleanupDeadServers", &cleanupDeadServers)
        try visitor.durationText("LastContactThreshold", &lastContactThreshold)
        try visitor.field("MaxTrailingLogs", &maxTrailingLogs)
        try visitor.field("MinQuorum", &minQuorum, goType: "uint")
        try visitor.durationText("ServerStabilizationTime", &serverStabilizationTime)
        try visitor.field("RedundancyZoneTag", &redundancyZoneTag)
        try visitor.field("DisableUpgradeMigration", &disableUpgradeMigration)
        try visitor.field("UpgradeVersionTag", &upgradeVersionTag)
        try visitor.indexes(&indexes)
    }
}
