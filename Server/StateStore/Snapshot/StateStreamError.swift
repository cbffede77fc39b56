/// Why a stream of records cannot become a state; nothing was changed.
package struct StateStreamError: Error, Hashable, Sendable {
    package enum Code: Hashable, Sendable {
        /// The stream ends inside a record, or before its header.
        case truncated
        /// Bytes that are not what their type says.
        case malformed
        /// A type that no snapshot has, or none that this version knows.
        case unknownType
        /// A record that contradicts another one.
        case inconsistent
        /// More or longer records than `StateStreamLimits` allows.
        case limit
    }

    package var code: Code
    /// Where the record starts, in bytes from the start of the stream.
    package var offset: Int
    /// What is wrong with it, in words.
    package var reason: String

    package init(_ code: Code, at offset: Int, _ reason: String) {
        self.code = code
        self.offset = offset
        self.reason = reason
    }

    package var message: String {
        "state.bin at offset \(offset): \(reason)"
    }
}
