import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// One address with its connections.
///
/// Blocking queries and all other requests have connection pools of their own: a pool's
/// connections are limited per host, and hanging queries would make a heartbeat wait for its TTL.
struct TransportEndpoint: Sendable {
    let address: RegistryAddress
    let base: String
    let calls: HTTPClient
    let watches: HTTPClient

    init(_ address: RegistryAddress, _ configuration: ClientConfiguration) throws {
        self.address = address
        base = address.base(serverName: address.usesTLS ? configuration.tls.serverName : nil)
        let pooled = { (connections: Int) in
            HTTPClient(
                eventLoopGroupProvider: .singleton,
                configuration: try Self.settings(address, configuration, connections: connections)
            )
        }
        calls = try pooled(configuration.maximumCalls)
        do {
            watches = try pooled(configuration.maximumWatches)
        } catch {
            try? calls.syncShutdown()  // Nothing was sent; the error of the settings matters.
            throw error
        }
    }

    func shutdown() async throws {
        try await watches.shutdown()
        try await calls.shutdown()
    }

    /// Gives up an endpoint over which nothing was sent.
    func abandon() {
        for client in [calls, watches] {
            try? client.syncShutdown()  // There are no connections that could fail to close.
        }
    }

    // MARK: Settings

    private static func settings(
        _ address: RegistryAddress,
        _ configuration: ClientConfiguration,
        connections: Int
    ) throws -> HTTPClient.Configuration {
        var settings = HTTPClient.Configuration(redirectConfiguration: .disallow)
        settings.timeout.connect = TimeAmount(configuration.connectTimeout)
        settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, connections)
        // A refused connection is an answer: retrying inside would hide it for ten seconds.
        settings.connectionPool.retryConnectionEstablishment = false
        settings.httpVersion = .http1Only
        // A call has one span, however often it is sent.
        settings.tracing.tracer = nil
        guard address.usesTLS else { return settings }
        settings.tlsConfiguration = try tlsSettings(configuration.tls)
        if let name = configuration.tls.serverName, let host = address.host {
            settings.dnsOverride = [name: host]
        }
        return settings
    }

    private static func tlsSettings(_ tls: ClientConfiguration.TLS) throws -> TLSConfiguration {
        var settings = TLSConfiguration.makeClientConfiguration()
        if let file = tls.authorityFile {
            settings.trustRoots = .certificates(try reading(file, NIOSSLCertificate.fromPEMFile))
        } else if let directory = tls.authorityDirectory {
            let files = try ClientConfiguration.files(in: directory)
            settings.trustRoots = .certificates(
                try files.flatMap { try reading($0, NIOSSLCertificate.fromPEMFile) }
            )
        }
        if let file = tls.certificateFile {
            settings.certificateChain = try reading(file, NIOSSLCertificate.fromPEMFile)
                .map { .certificate($0) }
        }
        if let file = tls.keyFile {
            settings.privateKey = .privateKey(
                try reading(file) { try NIOSSLPrivateKey(file: $0, format: .pem) }
            )
        }
        guard (tls.certificateFile == nil) == (tls.keyFile == nil) else {
            throw MusterError(
                code: .invalidConfiguration,
                message: "a client certificate needs its key, and a key its certificate"
            )
        }
        if !tls.verifies { settings.certificateVerification = .none }
        return settings
    }

    /// Reads a file, or says which one cannot be read.
    private static func reading<Value>(
        _ file: String,
        _ read: (String) throws -> Value
    ) throws -> Value {
        do {
            return try read(file)
        } catch {
            throw MusterError(
                code: .invalidConfiguration,
                message: "\(file) holds no certificate or key that can be read",
                cause: error
            )
        }
    }
}
