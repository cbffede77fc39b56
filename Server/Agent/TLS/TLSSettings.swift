import DNSAPI
import Wire

/// Which connections of an agent are protected, and by which files.
///
/// - Source: Consul: docs/agent/options "TLS Configuration Reference".
package struct TLSSettings: Hashable, Sendable {
    /// Whether servers that connect must do so with TLS and show a certificate.
    package var verifiesIncomingRPC = false
    /// Whether clients of HTTPS must show a certificate.
    package var verifiesIncomingHTTPS = false
    /// Whether other servers are reached with TLS, and must show a certificate.
    package var verifiesOutgoing = false
    /// Whether other servers must show a certificate for `server.<datacenter>.<domain>`.
    ///
    /// Invariant: only with `verifiesOutgoing`.
    package var verifiesServerHostname = false
    /// PEM files, relative to the working directory or not; empty when not given.
    package var authorityFile = ""
    /// A directory of such files; read when there is no `authorityFile`.
    package var authorityPath = ""
    package var certificateFile = ""
    package var keyFile = ""
    package var minimumVersion = TLSMinimum.tls12
    /// `server.<datacenter>.<domain>`.
    package var serverHostname = ""

    package init() {}

    /// Whether anybody who connects is verified.
    var verifiesIncoming: Bool { verifiesIncomingRPC || verifiesIncomingHTTPS }

    /// Reads the options, after those of datacenter and domain.
    static func read(
        _ reader: ConfigurationReader,
        into configuration: inout AgentConfiguration
    ) throws(StartError) {
        var settings = TLSSettings()
        var verifiesAll = false
        reader.flag("verify_incoming", &verifiesAll)
        reader.flag("verify_incoming_rpc", &settings.verifiesIncomingRPC)
        reader.flag("verify_incoming_https", &settings.verifiesIncomingHTTPS)
        if verifiesAll {
            settings.verifiesIncomingRPC = true
            settings.verifiesIncomingHTTPS = true
        }
        reader.flag("verify_outgoing", &settings.verifiesOutgoing)
        reader.flag("verify_server_hostname", &settings.verifiesServerHostname)
        // Consul: the one implies the other.
        if settings.verifiesServerHostname { settings.verifiesOutgoing = true }
        reader.text("ca_file", &settings.authorityFile)
        reader.text("ca_path", &settings.authorityPath)
        reader.text("cert_file", &settings.certificateFile)
        reader.text("key_file", &settings.keyFile)
        var version = ""
        reader.text("tls_min_version", &version)
        if !version.isEmpty {
            guard let known = TLSMinimum(rawValue: version) else {
                throw StartError(
                    "TLSMinVersion: value \(version) not supported, please specify one of "
                        + "[\(TLSMinimum.allCases.map(\.rawValue).joined(separator: ", "))]"
                )
            }
            settings.minimumVersion = known
        }
        let domain = configuration.dns.domain.description.drop { $0 == "." }
        let zone = domain.hasSuffix(".") ? domain.dropLast() : domain
        settings.serverHostname = "server.\(configuration.datacenter).\(zone)"
        configuration.tls = settings
    }
}

/// The oldest version of TLS that is spoken, as the option names it.
///
/// - Source: Consul: docs/agent/options `tls_min_version`.
package enum TLSMinimum: String, Hashable, Sendable, CaseIterable {
    case tls10, tls11, tls12, tls13
}
