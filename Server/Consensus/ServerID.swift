package import Raft
import Wire

/// A server's id between its two forms: the UUID that people and the API see, and 128 bits.
package enum ServerID {
    /// The id of a UUID; nil for a text that is none.
    package static func parse(_ text: String) -> NodeID? {
        let digits = text.utf8.filter { $0 != UInt8(ascii: "-") }
        guard digits.count == 32, text.utf8.count == 36,
            let number = UInt128(String(decoding: digits, as: UTF8.self), radix: 16)
        else { return nil }
        return NodeID(rawValue: number)
    }

    /// The UUID in lower case.
    package static func text(_ id: NodeID) -> String {
        let digits = Array(String(id.rawValue, radix: 16).utf8)
        let padded = Array(repeating: UInt8(ascii: "0"), count: 32 - digits.count) + digits
        let parts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
        return parts.map { String(decoding: padded[$0], as: UTF8.self) }.joined(separator: "-")
    }
}
