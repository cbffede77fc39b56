package import Model

/// The body of `PUT /v1/agent/check/update/:check_id`.
package struct CheckUpdateBody: WireRecord, Hashable {
    /// `passing`, `warning` or `critical`; anything else is the client's mistake.
    package var status = ""
    package var output = ""

    package init() {}

    package static var goType: String { "agent.checkUpdate" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Status", &status)
        try visitor.field("Output", &output)
    }
}

/// The body of `PUT /v1/coordinate/update`.
package struct CoordinateUpdateBody: WireRecord, Hashable {
    package var datacenter = ""
    package var token = ""
    package var coordinate = NodeCoordinate()

    package init() {}

    package static var goType: String { "structs.CoordinateUpdateRequest" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Datacenter", &datacenter)
        try visitor.field("Node", &coordinate.node)
        try visitor.field("Segment", &coordinate.segment)
        try visitor.field("Coord", &coordinate.coordinate)
        try visitor.field("Token", &token)
    }
}

/// The body of `PUT /v1/operator/autopilot/configuration`: what it leaves out is zero.
package struct AutopilotBody: WireRecord, Hashable {
    package var configuration: AutopilotConfiguration

    package init() {
        configuration = AutopilotConfiguration()
        configuration.cleanupDeadServers = false
        configuration.lastContactThreshold = .zero
        configuration.maxTrailingLogs = 0
        configuration.serverStabilizationTime = .zero
    }

    package static var goType: String { "AutopilotConfiguration" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try configuration.visit(&visitor)
    }
}

/// The body of `PUT /v1/agent/token/:kind`.
package struct TokenBody: WireRecord, Hashable {
    package var token = ""

    package init() {}

    package static var goType: String { "api.AgentToken" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Token", &token)
    }
}
