import Model
import NIOCore
import NIOSSL
import RPC

/// The certificates of this agent, read and found good, and what connections are made with.
struct AgentTLS: Sendable {
    let settings: TLSSettings
    let certificates: TLSFiles
    /// What does not stop the agent and should be known.
    let warnings: [String]

    /// A peer that does not answer the end of TLS is not waited for longer than this.
    private static let shutdownTimeout = TimeAmount.seconds(1)

    /// Reads the files; throws what is wrong with them, and what to do about it.
    static func load(
        _ settings: TLSSettings,
        limits: AgentLimits,
        now: Timestamp
    ) throws(StartError) -> AgentTLS {
        let files = try TLSFiles.load(settings, limits: limits)
        // Consul's words.
        if settings.verifiesOutgoing, files.authorities.isEmpty {
            throw StartError("VerifyOutgoing set, and no CA certificate provided!")
        }
        if settings.verifiesIncoming, files.authorities.isEmpty {
            throw StartError("VerifyIncoming set but no CA certificates were provided")
        }
        if settings.verifiesIncoming, files.own == nil {
            throw StartError(
                "VerifyIncoming requires a Cert and Key pair in the configuration: "
                    + "set cert_file and key_file"
            )
        }
        try files.checkDates(settings, now: now)
        let tls = AgentTLS(
            settings: settings,
            certificates: files,
            warnings: files.warnings(settings, now: now)
        )
        try tls.checkContexts()
        return tls
    }

    /// Makes everything once, so that what does not fit is known before anything listens.
    private func checkContexts() throws(StartError) {
        if certificates.own != nil { _ = try httpsContext() }
        _ = try security()
    }

    // MARK: Between servers

    /// How this server speaks with others.
    ///
    /// - Source: Consul: docs/agent/options `verify_incoming_rpc`, `verify_outgoing`,
    ///   `verify_server_hostname`.
    func security() throws(StartError) -> PeerSecurity {
        var security = PeerSecurity()
        if settings.verifiesOutgoing {
            var configuration = TLSConfiguration.makeClientConfiguration()
            // The connection looks at the name.
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates(certificates.authorities)
            if let own = certificates.own {
                configuration.certificateChain = own.chain.map { .certificate($0) }
                configuration.privateKey = .privateKey(own.key)
            }
            security.dialling = PeerSecurity.Dialling(
                context: try context(configuration),
                serverName: settings.verifiesServerHostname ? settings.serverHostname : nil
            )
        }
        if certificates.own != nil {
            let verifies = settings.verifiesIncomingRPC
            security.accepting = PeerSecurity.Accepting(
                context: try serverContext(verifiesClients: verifies),
                isRequired: verifies,
                clientName: verifies && settings.verifiesServerHostname
                    ? settings.serverHostname : nil
            )
        }
        return security
    }

    // MARK: The HTTP API

    /// - Source: Consul: docs/agent/options `verify_incoming_https`.
    func httpsContext() throws(StartError) -> NIOSSLContext {
        try serverContext(verifiesClients: settings.verifiesIncomingHTTPS)
    }

    // MARK: Contexts

    private func serverContext(verifiesClients: Bool) throws(StartError) -> NIOSSLContext {
        guard let own = certificates.own else {
            throw StartError("HTTPS needs cert_file and key_file")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: own.chain.map { .certificate($0) },
            privateKey: .privateKey(own.key)
        )
        if verifiesClients {
            configuration.trustRoots = .certificates(certificates.authorities)
            configuration.certificateVerification = .noHostnameVerification
        }
        return try context(configuration)
    }

    private func context(_ configuration: TLSConfiguration) throws(StartError) -> NIOSSLContext {
        var configuration = configuration
        configuration.minimumTLSVersion = settings.minimumVersion.version
        configuration.shutdownTimeout = Self.shutdownTimeout
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch NIOSSLError.failedToLoadPrivateKey, NIOSSLError.failedToLoadCertificate {
            // Each was read before: it is the pair that does not fit.
            throw StartError(TLSFiles.mismatch(settings))
        } catch {
            throw StartError(
                "cannot use \(settings.certificateFile) and \(settings.keyFile): \(error)"
            )
        }
    }
}

extension TLSMinimum {
    fileprivate var version: TLSVersion {
        switch self {
        case .tls10: .tlsv1
        case .tls11: .tlsv11
        case .tls12: .tlsv12
        case .tls13: .tlsv13
        }
    }
}
