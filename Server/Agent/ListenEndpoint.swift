import HTTPAPI

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
    func listener(
        _ configuration: AgentConfiguration,
        _ tls: AgentTLS
    ) throws(StartError) -> HTTPListener {
        switch place {
        case .socket(let path):
            return .unix(path: path, configuration.unixSockets)
        case .port(let host, let port):
            guard name == "HTTPS" else { return .tcp(host: host, port: port) }
            return .tls(host: host, port: port, try tls.httpsContext())
        }
    }
}
