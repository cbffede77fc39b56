/// Why something asked of another server did not work.
package enum PeerTransportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// An address is not a host and a port.
    case badAddress(String)
    /// The other server refused, for this reason.
    case refused(String)
    /// The other server was not reached, or was lost.
    case unreachable(String)
    /// The transport has no address of this peer, or has been stopped.
    case unavailable(String)
    /// Something on this side failed.
    case failed(String)

    init(_ end: ConnectionEnd) {
        switch end {
        case .refused(let reason): self = .refused(reason)
        case .stranger(let stranger): self = .refused(stranger.description)
        default: self = .unreachable(end.description)
        }
    }

    package var description: String {
        switch self {
        case .badAddress(let address): "\"\(address)\" is not host:port"
        case .refused(let reason): "refused: \(reason)"
        case .unreachable(let reason): "not reached: \(reason)"
        case .unavailable(let reason), .failed(let reason): reason
        }
    }
}

/// A host and a port, as `host:port`, `address:port` or `[address]:port`.
struct PeerAddress: Hashable {
    var host: String
    var port: Int

    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = Int(text[text.index(after: colon)...]), (1...65535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.host = String(host)
        self.port = port
    }
}
