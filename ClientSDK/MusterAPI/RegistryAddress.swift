/// Where the agent's HTTP API listens.
public struct RegistryAddress: Hashable, Sendable, CustomStringConvertible {
    enum Kind: Hashable {
        case tcp(host: String, port: Int)
        case unixSocket(path: String)
    }

    let kind: Kind

    /// Whether the connection is encrypted.
    public var usesTLS: Bool

    /// The port an agent listens on unless told otherwise.
    public static let defaultPort = 8500

    /// The local agent: `http://127.0.0.1:8500`.
    public static let local = RegistryAddress.http(host: "127.0.0.1")

    /// An agent that listens without encryption.
    public static func http(host: String, port: Int = defaultPort) -> RegistryAddress {
        RegistryAddress(kind: .tcp(host: host, port: port), usesTLS: false)
    }

    /// An agent that listens with TLS.
    public static func https(host: String, port: Int = 8501) -> RegistryAddress {
        RegistryAddress(kind: .tcp(host: host, port: port), usesTLS: true)
    }

    /// An agent that listens on a unix socket.
    public static func unixSocket(path: String) -> RegistryAddress {
        RegistryAddress(kind: .unixSocket(path: path), usesTLS: false)
    }

    private init(kind: Kind, usesTLS: Bool) {
        self.kind = kind
        self.usesTLS = usesTLS
    }

    /// Reads an address: `host:port`, `host`, `http://…`, `https://…` or `unix:///path`.
    ///
    /// A missing port is 8500. Throws ``MusterError`` when `text` is no address.
    ///
    /// - Source: Consul: `CONSUL_HTTP_ADDR`.
    public init(_ text: String) throws {
        let broken = MusterError(
            code: .invalidConfiguration,
            message: "\"\(text)\" is no registry address (host:port, http://, https://, unix://)"
        )
        if text.hasPrefix("unix://") {
            let path = String(text.dropFirst("unix://".count))
            guard !path.isEmpty else { throw broken }
            self = .unixSocket(path: path)
            return
        }
        var rest = text[...]
        var usesTLS = false
        if text.hasPrefix("https://") {
            rest = rest.dropFirst("https://".count)
            usesTLS = true
        } else if text.hasPrefix("http://") {
            rest = rest.dropFirst("http://".count)
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard let (host, port) = Self.split(rest) else { throw broken }
        self.init(kind: .tcp(host: host, port: port), usesTLS: usesTLS)
    }

    /// Splits `host:port`, `[v6]:port` or a host alone.
    private static func split(_ text: Substring) -> (host: String, port: Int)? {
        var host = text
        var port = defaultPort
        let afterBrackets = text.lastIndex(of: "]").map { text[text.index(after: $0)...] } ?? text
        if let colon = afterBrackets.lastIndex(of: ":") {
            guard let number = Int(text[text.index(after: colon)...]), (1...65_535).contains(number)
            else { return nil }
            port = number
            host = text[..<colon]
        }
        if host.first == "[", host.last == "]" { host = host.dropFirst().dropLast() }
        let allowed = host.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7f && !"/?#@[]\\".utf8.contains($0)
        }
        guard !host.isEmpty, allowed else { return nil }
        return (String(host), port)
    }

    /// The address as ``init(_:)`` reads it.
    public var description: String {
        switch kind {
        case .tcp(let host, let port):
            "\(usesTLS ? "https" : "http")://\(Self.bracketed(host)):\(port)"
        case .unixSocket(let path): "unix://\(path)"
        }
    }

    /// What a request's target is appended to, with the host replaced when `serverName` is given.
    func base(serverName: String?) -> String {
        switch kind {
        case .tcp(let host, let port):
            "\(usesTLS ? "https" : "http")://\(Self.bracketed(serverName ?? host)):\(port)"
        case .unixSocket(let path):
            "http\(usesTLS ? "s" : "")+unix://\(RegistryRequest.encodeSocketPath(path))"
        }
    }

    /// The host of a TCP address.
    var host: String? {
        if case .tcp(let host, _) = kind { host } else { nil }
    }

    private static func bracketed(_ host: String) -> String {
        host.contains(":") ? "[\(host)]" : host
    }
}
