/// Where an instance listens: an IP address or a host name, and a port.
///
/// A plain value of three machine words: copying it allocates nothing and counts no reference.
public struct ServiceEndpoint: Hashable, Sendable {
    /// What kind of host an endpoint has.
    public enum Family: UInt8, Hashable, Sendable {
        /// An IPv4 address.
        case ipv4 = 4
        /// An IPv6 address.
        case ipv6 = 6
        /// A name that the caller's resolver turns into addresses.
        case name = 0
    }

    /// The address, big-endian in both words: IPv4 in the low half of `low`, a name's number in it.
    let high: UInt64
    let low: UInt64

    /// The port, 0 when the instance has none.
    public let port: UInt16

    /// The family's raw value: read from a table without a branch.
    let familyCode: UInt8

    /// Whether the host is an IPv4 address, an IPv6 address or a name.
    public var family: Family { Family(rawValue: familyCode) ?? .name }

    /// Makes an endpoint from the text of an address or host name.
    ///
    /// Gives nil when the host is neither, or a new name and the process already keeps 65,536
    /// names.
    ///
    /// - Parameters:
    ///   - host: An IPv4 address, an IPv6 address with or without brackets, or a host name.
    ///   - port: The port.
    public init?(host: String, port: UInt16) {
        var text = host[...]
        if text.first == "[", text.last == "]" { text = text.dropFirst().dropLast() }
        if let address = AddressText.parseIPv4(text) {
            self.init(high: 0, low: UInt64(address), port: port, family: .ipv4)
        } else if let groups = AddressText.parseIPv6(text) {
            let word = { (half: ArraySlice<UInt16>) in half.reduce(0) { $0 << 16 | UInt64($1) } }
            self.init(
                high: word(groups[..<4]),
                low: word(groups[4...]),
                port: port,
                family: .ipv6
            )
        } else if let number = HostNames.shared.number(of: host) {
            self.init(high: 0, low: number, port: port, family: .name)
        } else {
            return nil
        }
    }

    private init(high: UInt64, low: UInt64, port: UInt16, family: Family) {
        self.init(high: high, low: low, port: port, familyCode: family.rawValue)
    }

    @inline(__always)
    init(high: UInt64, low: UInt64, port: UInt16, familyCode: UInt8) {
        self.high = high
        self.low = low
        self.port = port
        self.familyCode = familyCode
    }

    /// The address or host name, IPv6 without brackets.
    public var host: String {
        switch family {
        case .ipv4:
            [24, 16, 8, 0].map { String((low >> UInt64($0)) & 0xff) }.joined(separator: ".")
        case .ipv6:
            AddressText.formatIPv6(
                [high, high, high, high, low, low, low, low].enumerated().map { position, word in
                    UInt16(truncatingIfNeeded: word >> UInt64(48 - 16 * (position % 4)))
                }
            )
        case .name:
            HostNames.shared.name(of: low)
        }
    }

    /// Host and port as a URL's authority writes them: `10.0.0.1:80`, `[::1]:80`, `db.local:80`.
    public var authority: String {
        family == .ipv6 ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

extension ServiceEndpoint: CustomStringConvertible {
    /// The same as ``authority``.
    public var description: String { authority }
}
