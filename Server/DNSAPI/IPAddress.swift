/// An Internet address.
package enum IPAddress: Sendable, Hashable {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    /// Reads `1.2.3.4` or an IPv6 address without a zone; nil for anything else, such as a host
    /// name.
    ///
    /// An IPv4 address that is mapped into IPv6 is read as the IPv4 address.
    ///
    /// - Source: RFC 4291 §2.2; Consul: net.ParseIP and To4
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        if bytes.contains(UInt8(ascii: ":")) {
            guard let groups = IPAddress.groups(bytes) else { return nil }
            self.init(groups)
        } else {
            guard let value = IPAddress.dotted(bytes[...]) else { return nil }
            self = .v4(value)
        }
    }

    /// Sixteen bits each, eight of them.
    private init(_ groups: [UInt16]) {
        let words = groups.map { UInt64($0) }
        let high = words[0] << 48 | words[1] << 32 | words[2] << 16 | words[3]
        let low = words[4] << 48 | words[5] << 32 | words[6] << 16 | words[7]
        self.init(high: high, low: low)
    }

    package init(high: UInt64, low: UInt64) {
        self =
            high == 0 && low >> 32 == 0xFFFF
            ? .v4(UInt32(truncatingIfNeeded: low)) : .v6(high: high, low: low)
    }

    private static func dotted(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ (0x30...0x39).contains($0) })
            else { return nil }
            let number = part.reduce(UInt32(0)) { $0 * 10 + UInt32($1 - 0x30) }
            guard number < 256 else { return nil }
            value = value << 8 | number
        }
        return value
    }

    private static func groups(_ bytes: [UInt8]) -> [UInt16]? {
        var head: [UInt16] = []
        var tail: [UInt16] = []
        var sawGap = false
        var rest = bytes[...]
        let colon = UInt8(ascii: ":")
        if rest.starts(with: [colon, colon]) {
            sawGap = true
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let part = rest.prefix { $0 != colon }
            let isLast = part.count == rest.count
            if isLast, part.contains(UInt8(ascii: ".")) {
                guard let value = dotted(part) else { return nil }
                let words = [UInt16(value >> 16), UInt16(truncatingIfNeeded: value)]
                if sawGap { tail += words } else { head += words }
                break
            }
            guard (1...4).contains(part.count),
                let group = UInt16(String(decoding: part, as: UTF8.self), radix: 16),
                part.first != UInt8(ascii: "+")
            else { return nil }
            if sawGap { tail.append(group) } else { head.append(group) }
            guard !isLast else { break }
            rest = rest.dropFirst(part.count + 1)
            if rest.first == colon {
                guard !sawGap else { return nil }
                sawGap = true
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        let count = head.count + tail.count
        guard sawGap ? count < 8 : count == 8 else { return nil }
        return head + Array(repeating: 0, count: 8 - count) + tail
    }

    /// The bytes in network order, four or sixteen.
    package var bytes: [UInt8] {
        switch self {
        case .v4(let value): bigEndianBytes(value)
        case .v6(let high, let low): bigEndianBytes(high) + bigEndianBytes(low)
        }
    }

    /// The bytes in hexadecimal, as the labels before `addr` have them.
    package var hexadecimal: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

private func bigEndianBytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    stride(from: Value.bitWidth - 8, through: 0, by: -8).map {
        UInt8(truncatingIfNeeded: value >> $0)
    }
}
