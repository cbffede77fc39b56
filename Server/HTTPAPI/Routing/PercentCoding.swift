/// Percent-encoding of request targets.
///
/// - Source: RFC 3986 §2.1; Go net/url unescape.
package enum PercentCoding {
    /// The text that `bytes` stand for, or nil when an escape is broken or the result is no UTF-8.
    ///
    /// - Deviation: Consul takes any bytes as a key; keys here are text, so others are refused.
    package static func decode(
        _ bytes: some Collection<UInt8>,
        plusIsSpace: Bool = false
    ) -> String? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var iterator = bytes.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = iterator.next().flatMap(hexValue),
                    let low = iterator.next().flatMap(hexValue)
                else { return nil }
                decoded.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace:
                decoded.append(UInt8(ascii: " "))
            default:
                decoded.append(byte)
            }
        }
        return String(validating: decoded, as: UTF8.self)
    }

    /// A path as it is written in a `Location` header.
    package static func encodePath(_ path: String) -> String {
        encode(path, plain: "$&+,/:;=@-_.~!*'()")
    }

    /// A name or value as it is written in a query.
    ///
    /// - Source: Go net/url QueryEscape.
    package static func encodeQuery(_ text: String) -> String {
        encode(text, plain: "-_.~ ").replacingSpaces()
    }

    private static func encode(_ text: String, plain: StaticString) -> String {
        var encoded = ""
        for byte in text.utf8 {
            let isPlain =
                (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5A)
                || (byte >= 0x61 && byte <= 0x7A)
                || plain.withUTF8Buffer { $0.contains(byte) }
            if isPlain {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension String {
    fileprivate func replacingSpaces() -> String {
        String(map { $0 == " " ? "+" : $0 })
    }
}
