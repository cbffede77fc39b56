import NIOCore
import NIOSSL

/// What a failure of TLS means, in words that say what to do.
enum TLSFailure {
    /// Nil when the error is none of TLS.
    static func text(_ error: any Error) -> String? {
        if let error = error as? WrongName { return "\(error)" }
        guard error is NIOSSLError || error is BoringSSLError else { return nil }
        let detail = "\(error)"
        guard let meaning = meanings.first(where: { detail.contains($0.sign) }) else {
            return "TLS failed: \(detail)"
        }
        return "TLS: \(meaning.text)"
    }

    /// Whether the other side has only closed the connection without TLS's own farewell, as a
    /// process that was killed does: every frame says where it ends, so nothing can be cut off
    /// unseen.
    static func isBareClose(_ error: any Error) -> Bool {
        if case NIOSSLError.uncleanShutdown = error { true } else { false }
    }

    /// What the library says, and what it means; the first that fits counts.
    ///
    /// An alert comes from the other side and is about this server's certificate.
    private static let meanings: [(sign: String, text: String)] = [
        (
            "ALERT_UNKNOWN_CA",
            "the other side refused this server's certificate: none of the authorities of its "
                + "ca_file or ca_path has signed it"
        ),
        (
            "ALERT_CERTIFICATE_EXPIRED",
            "the other side refused this server's certificate: it has expired"
        ),
        (
            "ALERT_CERTIFICATE_REQUIRED",
            "the other side asks for a certificate: set cert_file and key_file here"
        ),
        ("ALERT_BAD_CERTIFICATE", "the other side refused this server's certificate"),
        ("ALERT_CERTIFICATE_UNKNOWN", "the other side refused this server's certificate"),
        ("ALERT_PROTOCOL_VERSION", versions), ("UNSUPPORTED_PROTOCOL", versions),
        ("NO_SHARED_CIPHER", "the two sides have no cipher suite in common"),
        (
            "CERTIFICATE_VERIFY_FAILED",
            "the other side's certificate is not valid here: it has expired, or none of the "
                + "authorities of ca_file or ca_path has signed it"
        ),
        (
            "PEER_DID_NOT_RETURN_A_CERTIFICATE",
            "the other side sent no certificate, and verify_incoming is set here: set cert_file "
                + "and key_file there"
        ),
        ("WRONG_VERSION_NUMBER", "the other side does not speak TLS"),
        (
            "EOF during handshake",
            "the other side closed the connection instead of speaking TLS: it may have no "
                + "cert_file and key_file"
        ),
    ]

    private static let versions =
        "the two sides have no version of TLS in common: see tls_min_version"
}
