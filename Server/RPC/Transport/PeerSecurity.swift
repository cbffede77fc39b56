package import NIOSSL

/// How connections between servers are protected.
///
/// A server dials with TLS or without; what it accepts depends on this alone, so that TLS can be
/// switched on one server after another: first all of them accept it, then all of them dial with
/// it, then all of them insist on it.
///
/// - Source: Consul: docs/agent/options `verify_incoming`, `verify_outgoing`.
package struct PeerSecurity: Sendable {
    /// TLS for the connections that this server dials.
    package struct Dialling: Sendable {
        /// Verifies the certificate of the other side.
        package var context: NIOSSLContext
        /// The name that the other side's certificate must have; nil when any will do.
        ///
        /// The context must not verify names itself.
        package var serverName: String?

        package init(context: NIOSSLContext, serverName: String? = nil) {
            self.context = context
            self.serverName = serverName
        }
    }

    /// TLS for the connections that others dial.
    package struct Accepting: Sendable {
        package var context: NIOSSLContext
        /// Whether connections without TLS are refused.
        package var isRequired: Bool
        /// The name that the certificate of whoever dials must have; nil when the context alone
        /// decides.
        ///
        /// It needs a context that asks for a certificate.
        package var clientName: String?

        package init(context: NIOSSLContext, isRequired: Bool, clientName: String? = nil) {
            self.context = context
            self.isRequired = isRequired
            self.clientName = clientName
        }
    }

    /// Nil when connections are dialled without TLS.
    package var dialling: Dialling?
    /// Nil when connections with TLS are refused.
    package var accepting: Accepting?

    /// No TLS, neither way.
    package init() {}
}

/// A certificate is good, and for another name than it must be.
struct WrongName: Error, Hashable, CustomStringConvertible {
    var wanted: String
    var found: [String]

    var description: String {
        let names = found.isEmpty ? "no name" : found.joined(separator: ", ")
        return "its certificate is not for \(wanted), as verify_server_hostname asks, "
            + "but for \(names)"
    }
}

extension NIOSSLCertificate {
    /// The names of DNS that the certificate is for; its common name does not count.
    ///
    /// - Source: RFC 6125 §6.4.4.
    package var dnsNames: [String] {
        _subjectAlternativeNames().compactMap { name in
            guard name.nameType == .dnsName else { return nil }
            return String(decoding: name.contents, as: UTF8.self)
        }
    }

    /// Whether the certificate is for this name, itself or by a wildcard in its first label.
    ///
    /// - Source: RFC 6125 §6.4.3.
    package func names(_ name: String) -> Bool {
        let wanted = name.lowercased()
        let rest = wanted.drop { $0 != "." }
        return dnsNames.contains { found in
            let found = found.lowercased()
            return found == wanted || (!rest.isEmpty && found == "*\(rest)")
        }
    }
}
