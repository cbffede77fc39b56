/// A domain name in its uncompressed wire form, in the case it was written in.
///
/// ```
/// +-------+-------+-------+     +-------+-------+     +---+
/// | count | label bytes...| ... | count | bytes...| ... | 0 |
/// +-------+-------+-------+     +-------+-------+     +---+
/// ```
/// - Source: RFC 1035 §3.1
package struct DNSName: Sendable, Hashable {
    /// Counted labels and the zero at the end.
    ///
    /// Invariant: well formed, and at most ``DNSLimits/nameBytes`` long.
    package let wire: [UInt8]

    package static let root = DNSName(unchecked: [0])

    init(unchecked wire: [UInt8]) {
        self.wire = wire
    }

    /// A name from text with dots between the labels; nil when a label or the name is too long.
    package init?(_ text: String) {
        var wire: [UInt8] = []
        let bytes = text.utf8
        wire.reserveCapacity(bytes.count + 2)
        for label in bytes.split(separator: UInt8(ascii: ".")) {
            guard label.count <= DNSLimits.labelBytes else { return nil }
            wire.append(UInt8(label.count))
            wire.append(contentsOf: label)
        }
        wire.append(0)
        guard wire.count <= DNSLimits.nameBytes else { return nil }
        self.wire = wire
    }

    /// A name followed by another, or nil when that is too long.
    package init?(_ text: String, under suffix: DNSName) {
        guard let prefix = DNSName(text) else { return nil }
        let wire = prefix.wire.dropLast() + suffix.wire
        guard wire.count <= DNSLimits.nameBytes else { return nil }
        self.wire = Array(wire)
    }

    /// The labels from the left.
    package var labels: [ArraySlice<UInt8>] {
        var result: [ArraySlice<UInt8>] = []
        var offset = 0
        while wire[offset] != 0 {
            let end = offset + 1 + Int(wire[offset])
            result.append(wire[offset + 1..<end])
            offset = end
        }
        return result
    }

    /// The same name with ASCII letters in lower case.
    package var lowercased: DNSName {
        // A count is below the letters, so it stays as it is.
        DNSName(unchecked: wire.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 })
    }

    /// Whether the name is the other one or lies below it, in the case they are written in.
    package func isInside(_ zone: DNSName) -> Bool {
        guard wire.count >= zone.wire.count else { return false }
        var offset = 0
        while wire.count - offset > zone.wire.count { offset += 1 + Int(wire[offset]) }
        return wire[offset...].elementsEqual(zone.wire)
    }

    /// Whether the name lies below the other one.
    package func isBelow(_ zone: DNSName) -> Bool {
        wire.count > zone.wire.count && isInside(zone)
    }

    /// The labels that come before a zone that the name is inside of.
    package func labels(before zone: DNSName) -> [ArraySlice<UInt8>] {
        Array(labels.dropLast(zone.labels.count))
    }
}

extension DNSName: CustomStringConvertible {
    package var description: String {
        let text = labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
        return text + "."
    }
}
