package import Model

/// The body of `PUT /v1/session/create`.
///
/// What the body leaves out keeps the defaults: 15 s of lock delay, release, and the node's own
/// health.
/// - Source: Consul: PUT /v1/session/create.
package struct SessionBody: WireRecord, Hashable {
    package static let defaultCheck = "serfHealth"

    package var name = ""
    /// Empty means the agent's node.
    package var node = ""
    package var lockDelay = Nanoseconds.seconds(15)
    /// Validated where the session is made: `Invalid Behavior setting '…'`.
    package var behavior = SessionBehavior.release.rawValue
    package var ttl = ""
    package var nodeChecks: [String]? = [defaultCheck]
    package var checks: [String]? = [defaultCheck]
    package var serviceChecks: [ServiceCheckReference]?

    package init() {}

    package static var goType: String { "" }
    package static var decodesItself: Bool { true }
    package static var unknownKeys: UnknownKeys { .ignored }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Name", &name)
        try visitor.field("Node", &node)
        try visitor.field("LockDelay", &lockDelay)
        try visitor.field("Behavior", &behavior, goType: "structs.SessionBehavior")
        try visitor.field("TTL", &ttl)
        try visitor.field("NodeChecks", &nodeChecks)
        try visitor.field("Checks", &checks)
        try visitor.field("ServiceChecks", &serviceChecks)
        if Visitor.isReading, lockDelay.rawValue < 1_000 {
            // A bare small number means seconds; below zero it may wrap around, as in Go.
            lockDelay = Nanoseconds(rawValue: lockDelay.rawValue &* 1_000_000_000)
        }
    }

    /// The checks of the node that the session depends on.
    ///
    /// Of the two lists, the one that the client set wins over the default of the other.
    package var effectiveNodeChecks: [String] {
        let (old, new) = (checks ?? [], nodeChecks ?? [])
        if old.isEmpty { return new == [Self.defaultCheck] ? [] : new }
        if new.isEmpty { return old == [Self.defaultCheck] ? [] : old }
        if old != [Self.defaultCheck] { return new == [Self.defaultCheck] ? old : old + new }
        return new
    }
}
