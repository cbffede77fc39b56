import HTTPAPI
import NIOSSL

/// One place where an interface of the agent listens.
struct ListenEndpoint: Hashable, Sendable {
    enum Place: Hashable, Sendable {
        case port(host: String, Int)
        case socket(path: String)
    }

    /// `HTTP`, `HTTPS` or `DNS`.
    var name: String
    var place: Place

    var text: String {
        switch place {
        case .port(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .socket(let path): path
        }
    }

    var network: String {
        switch place {
        case .port: "tcp"
        case .socket: "unix"
        }
    }

    /// Where the HTTP API listens, without TLS and with it.
    ///
    /// - Source: Consul: docs/agent/options `addresses`, `ports`, `client_addr`.
    static func http(of configuration: AgentConfiguration) throws(StartError) -> [ListenEndpoint] {
        let ports = configuration.ports
        let own = configuration.addresses
        let plain = own.http.isEmpty ? configuration.clientAddresses : own.http
        let secure = own.https.isEmpty ? configuration.clientAddresses : own.https
        return try endpoints("HTTP", plain, ports.http)
            + (try endpoints("HTTPS", secure, ports.https))
    }

    /// Where DNS is served, over UDP and TCP.
    static func dns(of configuration: AgentConfiguration) throws(StartError) -> [ListenEndpoint] {
        let own = configuration.addresses.dns
        let hosts = own.isEmpty ? configuration.clientAddresses : own
        let found = try endpoints("DNS", hosts, configuration.ports.dns)
        for endpoint in found where endpoint.network == "unix" {
            throw StartError("DNS cannot listen on a socket file: \(endpoint.text)")
        }
        return found
    }

    /// The endpoints of one interface; none when its port is disabled.
    static func endpoints(
        _ name: String,
        _ addresses: [String],
        _ port: Int
    ) throws(StartError) -> [ListenEndpoint] {
        guard port > 0 else { return [] }
        var found: [ListenEndpoint] = []
        for address in addresses {
            if address.hasPrefix("unix://") {
                let path = String(address.dropFirst("unix://".utf8.count))
                guard !path.isEmpty else {
                    throw StartError("\(name): \"\(address)\" names no socket")
                }
                found.append(ListenEndpoint(name: name, place: .socket(path: path)))
            } else {
                found.append(ListenEndpoint(name: name, place: .port(host: address, port)))
            }
        }
        return found
    }

    /// What the HTTP server needs to open this endpoint.
    func listener(_ configuration: AgentConfiguration) throws(StartError) -> HTTPListener {
        switch place {
        case .socket(let path):
            return .unix(path: path, configuration.unixSockets)
        case .port(let host, let port):
            guard name == "HTTPS" else { return .tcp(host: host, port: port) }
            return .tls(host: host, port: port, try Self.context(configuration))
        }
    }

    /// - Source: Consul: docs/agent/options `cert_file`, `key_file`, `ca_file`,
    ///   `verify_incoming_https`.
    private static func context(
        _ configuration: AgentConfiguration
    ) throws(StartError) -> NIOSSLContext {
        let certificate = configuration.certificateFile
        let key = configuration.keyFile
        guard !certificate.isEmpty, !key.isEmpty else {
            throw StartError("HTTPS needs cert_file and key_file")
        }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certificate)
            var settings = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
            )
            settings.minimumTLSVersion = .tlsv12
            if configuration.verifiesIncomingHTTPS {
                guard !configuration.authorityFile.isEmpty else {
                    throw StartError("verify_incoming set, and no CA certificate provided!")
                }
                settings.trustRoots = .file(configuration.authorityFile)
                settings.certificateVerification = .noHostnameVerification
            }
            return try NIOSSLContext(configuration: settings)
        } catch let error as StartError {
            throw error
        } catch {
            throw StartError("cannot load \(certificate) and \(key): \(error)")
        }
    }
}
