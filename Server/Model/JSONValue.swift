/// Any JSON value, for the parts of records whose shape belongs to someone else.
package indirect enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// An integer that fits; other numbers are `double`.
    case integer(Int64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])
}

/// A reference that lets a value type contain another of its own kind.
package final class Box<Value: Hashable & Sendable>: Hashable, Sendable {
    package let value: Value

    package init(_ value: Value) {
        self.value = value
    }

    package static func == (left: Box, right: Box) -> Bool {
        left.value == right.value
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(value)
    }
}
