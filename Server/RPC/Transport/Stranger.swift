/// Somebody who speaks another protocol on this port.
enum Stranger: Hashable, CustomStringConvertible {
    /// A peer of Consul, in a mode that this port does not serve.
    case consul(mode: UInt8)
    /// TLS where there is none, or TLS within TLS.
    case tls
    /// A connection without TLS where TLS is required; its first byte.
    case plain(mode: UInt8)
    /// A Muster server of another protocol version.
    case version(UInt8)
    case unknown(UInt8)

    /// Judges what has come of a preamble; nil while it may still be ours.
    init?(preamble: [UInt8]) {
        guard let mode = preamble.first else { return nil }
        guard mode == Preamble.mode, Preamble.magic.starts(with: preamble.dropFirst().prefix(6))
        else {
            self =
                switch mode {
                case Preamble.tlsMode, Preamble.tlsRecord: .tls
                case 0...9: .consul(mode: mode)
                default: .unknown(mode)
                }
            return
        }
        guard preamble.count == Preamble.sizeBytes, preamble[7] != Preamble.version else {
            return nil
        }
        self = .version(preamble[7])
    }

    var description: String {
        switch self {
        case .consul(let mode):
            "it speaks Consul's \(Stranger.modes[Int(mode)]) (mode \(mode)), "
                + "which this port does not serve"
        case .tls: "it speaks TLS, and this server has none: set cert_file and key_file"
        case .plain:
            "it speaks without TLS, and verify_incoming is set here: set verify_outgoing there"
        case .version(let version):
            "it speaks version \(version) of the protocol between servers, "
                + "this server version \(Preamble.version)"
        case .unknown(let byte): "it speaks no protocol of this port: first byte \(byte)"
        }
    }

    /// - Source: Consul: RPC port, `pool.RPCType`.
    private static let modes = [
        "RPC", "Raft transport", "old multiplexed RPC", "RPC over TLS", "multiplexed RPC",
        "snapshots", "gossip between datacenters", "RPC over TLS without a certificate", "gRPC",
        "forwarding of Raft",
    ]
}
