public import Configuration
public import MusterAPI

extension ClientConfiguration {
    /// Reads how to reach the registry from configuration, below the scope `consul`.
    ///
    /// | Key below `consul` | Environment variable | Meaning |
    /// |---|---|---|
    /// | `http.addr` | `CONSUL_HTTP_ADDR` | the agent's address |
    /// | `http.token` (a secret) | `CONSUL_HTTP_TOKEN` | the token |
    /// | `http.token.file`, `http.tokenFile` | `CONSUL_HTTP_TOKEN_FILE` | a file with the token |
    /// | `http.auth` (a secret) | `CONSUL_HTTP_AUTH` | `user:password` of a proxy |
    /// | `http.ssl` | `CONSUL_HTTP_SSL` | whether to use TLS |
    /// | `http.ssl.verify`, `http.sslVerify` | `CONSUL_HTTP_SSL_VERIFY` | whether to verify |
    /// | `cacert`, `capath` | `CONSUL_CACERT`, `CONSUL_CAPATH` | authorities: file, directory |
    /// | `client.cert`, `client.key` | `CONSUL_CLIENT_CERT`, `CONSUL_CLIENT_KEY` | PEM files |
    /// | `tls.server.name`, `tls.serverName` | `CONSUL_TLS_SERVER_NAME` | the name expected |
    /// | `datacenter` | `CONSUL_DATACENTER` | the datacenter of requests that name none |
    ///
    /// With swift-configuration's provider of environment variables these are the names that
    /// Consul's own tools read. The second spellings are for trees (JSON, YAML), where a key cannot
    /// have both a value and keys below it. An empty value counts as absent.
    ///
    /// - Parameter config: The configuration, not scoped yet.
    /// - Throws: `MusterError` when a value cannot be understood.
    /// - Source: Consul: "Consul Commands (CLI)", Environment Variables.
    public init(config: ConfigReader) throws {
        let keys = ConfigKeys(config: config.scoped(to: "consul"))
        self.init()
        if let address = keys.text("http.addr") { self.address = try RegistryAddress(address) }
        if try keys.flag("http.ssl") == true { address.usesTLS = true }
        token = keys.text("http.token", isSecret: true)
        tokenFile = keys.text("http.token.file", "http.tokenFile")
        if let pair = keys.text("http.auth", isSecret: true) {
            let parts = pair.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            basicAuthentication = (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        }
        datacenter = keys.text("datacenter")
        tls.authorityFile = keys.text("cacert")
        tls.authorityDirectory = keys.text("capath")
        tls.certificateFile = keys.text("client.cert")
        tls.keyFile = keys.text("client.key")
        tls.serverName = keys.text("tls.server.name", "tls.serverName")
        tls.verifies = try keys.flag("http.ssl.verify", "http.sslVerify") ?? true
    }
}

/// Reads keys that may have several spellings.
private struct ConfigKeys {
    let config: ConfigReader

    /// The first spelling that has a value which is not empty.
    func text(_ keys: String..., isSecret: Bool = false) -> String? {
        for key in keys {
            let value = config.string(forKey: ConfigKey(key), isSecret: isSecret)
            if let value, !value.isEmpty { return value }
        }
        return nil
    }

    /// The same for a truth value, which may be typed (JSON) or text (environment).
    func flag(_ keys: String...) throws -> Bool? {
        for key in keys {
            if let value = config.bool(forKey: ConfigKey(key)) { return value }
            guard let text = text(key) else { continue }
            guard let value = ValueDecoding.bool(ValueDecoding.trim(text)) else {
                throw MusterError(
                    code: .invalidConfiguration,
                    message: "consul.\(key) is \"\(text)\", neither true nor false"
                )
            }
            return value
        }
        return nil
    }
}
