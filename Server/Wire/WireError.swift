/// Why bytes from outside were refused; the message is the text that Consul's clients expect.
package struct WireError: Error, Hashable, Sendable {
    /// What kind of mistake the bytes have.
    package enum Code: Hashable, Sendable {
        /// Not JSON or MessagePack at all, or cut short.
        case syntax
        /// A value of another type than its field.
        case type
        /// A field that the record does not have, where that is refused.
        case unknownField
        /// The right type, but not a valid value: a duration, a base64 text.
        case value
        /// Nested deeper or larger than `WireLimits` allows.
        case limit
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
