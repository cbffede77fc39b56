/// The written form of UUIDs, where a malformed one has its own error.
package enum UUIDText {
    /// Why the text cannot be a node's id, or nil.
    ///
    /// - Source: Go hashicorp/go-uuid ParseUUID.
    package static func flaw(of text: String) -> String? {
        let bytes = Array(text.utf8)
        guard bytes.count == 36 else { return "uuid string is wrong length" }
        for position in [8, 13, 18, 23] where bytes[position] != UInt8(ascii: "-") {
            return "uuid is improperly formatted"
        }
        return hexFlaw(bytes.filter { $0 != UInt8(ascii: "-") })
    }

    /// Why the text cannot be a session's id, or nil.
    ///
    /// - Source: Go hashicorp/go-memdb UUIDFieldIndex, as observed on Consul 1.8.7.
    package static func lookupFlaw(of text: String) -> String? {
        let bytes = Array(text.utf8)
        guard bytes.count == 36 else { return "UUID must be 36 characters" }
        let digits = bytes.filter { $0 != UInt8(ascii: "-") }
        return hexFlaw(digits).map { "Invalid UUID: \($0)" }
    }

    /// - Source: Go encoding/hex DecodeString.
    private static func hexFlaw(_ digits: [UInt8]) -> String? {
        for digit in digits where Character(Unicode.Scalar(digit)).hexDigitValue == nil {
            let code = String(digit, radix: 16, uppercase: true)
            let padded = String(repeating: "0", count: 4 - code.count) + code
            let shown = digit >= 0x20 && digit < 0x7F ? " '\(Unicode.Scalar(digit))'" : ""
            return "encoding/hex: invalid byte: U+\(padded)\(shown)"
        }
        return digits.count.isMultiple(of: 2) ? nil : "encoding/hex: odd length hex string"
    }
}
