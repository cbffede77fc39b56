import ArgumentParser
import MusterAPI

/// The flags of every command: how to reach the agent.
///
/// - Source: Consul: docs "Commands", HTTP API options.
struct ConnectionOptions: ParsableArguments {
    @Option(help: "Address of the agent's HTTP API (CONSUL_HTTP_ADDR).")
    var httpAddr: String?

    @Option(help: "ACL token to send (CONSUL_HTTP_TOKEN).")
    var token: String?

    @Option(help: "File that holds the ACL token (CONSUL_HTTP_TOKEN_FILE).")
    var tokenFile: String?

    @Option(help: "PEM file of authorities to trust (CONSUL_CACERT).")
    var caFile: String?

    @Option(help: "Directory of authorities to trust (CONSUL_CAPATH).")
    var caPath: String?

    @Option(help: "Client certificate (CONSUL_CLIENT_CERT).")
    var clientCert: String?

    @Option(help: "Client key (CONSUL_CLIENT_KEY).")
    var clientKey: String?

    @Option(help: "Name to expect in the server's certificate (CONSUL_TLS_SERVER_NAME).")
    var tlsServerName: String?

    /// The environment's configuration with the flags over it.
    func configuration() throws -> ClientConfiguration {
        var configuration = try ClientConfiguration.fromEnvironment()
        if let httpAddr, !httpAddr.isEmpty {
            let usesTLS = configuration.address.usesTLS
            configuration.address = try RegistryAddress(httpAddr)
            // CONSUL_HTTP_SSL counts unless the address says otherwise.
            if usesTLS, !httpAddr.hasPrefix("http://") { configuration.address.usesTLS = true }
        }
        if let token { configuration.token = token }
        if let tokenFile {
            configuration.tokenFile = tokenFile
            configuration.token = nil
        }
        if let caFile { configuration.tls.authorityFile = caFile }
        if let caPath { configuration.tls.authorityDirectory = caPath }
        if let clientCert { configuration.tls.certificateFile = clientCert }
        if let clientKey { configuration.tls.keyFile = clientKey }
        if let tlsServerName { configuration.tls.serverName = tlsServerName }
        configuration.requestTimeout = .seconds(60)
        try Self.check(configuration.tokenFile, "token file")
        try Self.check(configuration.tls.authorityFile, "CA File")
        return configuration
    }

    /// Refuses a file that cannot be read, whether it will be used or not.
    private static func check(_ path: String?, _ what: String) throws {
        guard let path else { return }
        do {
            _ = try Console.readFile(path)
        } catch {
            throw CommandFailure(
                "Error connecting to Consul agent: Error loading \(what): \(error.reason)"
            )
        }
    }

    /// Runs `body` with a client of the agent; every error becomes one of Go's texts.
    func withAgent<Result: Sendable>(
        _ body: (Agent) async throws -> Result
    ) async throws -> Result {
        let configuration: ClientConfiguration
        let client: MusterClient
        do {
            configuration = try self.configuration()
            client = try MusterClient(configuration: configuration)
        } catch let error as MusterError {
            throw CommandFailure("Error connecting to Consul agent: \(error.message)")
        }
        let agent = Agent(client: client, address: configuration.address)
        do {
            let result = try await body(agent)
            try await client.shutdown()
            return result
        } catch {
            // The body's error is the one to report.
            try? await client.shutdown()
            throw error
        }
    }
}

/// The flags of commands that ask a server.
///
/// - Source: Consul: docs "Commands", API options.
struct ServerOptions: ParsableArguments {
    @Option(help: "Datacenter to ask; the agent's own by default.")
    var datacenter: String?

    @Option(help: "Namespace; only in Consul Enterprise.")
    var namespace: String?

    @Flag(help: "Let any server answer, even one that is behind.")
    var stale = false

    /// How reads are asked.
    var query: QueryOptions {
        QueryOptions(datacenter: datacenter, consistency: stale ? .stale : .standard)
    }

    /// How writes are asked.
    var write: WriteOptions {
        WriteOptions(datacenter: datacenter)
    }
}
