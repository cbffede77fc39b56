import NIOCore
import NIOPosix

/// Host and port of a check's target.
struct Endpoint: Hashable, Sendable {
    var host: String
    var port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Parses `host:port` and `[v6]:port`.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = Int(text[text.index(after: colon)...]), (0...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.first == "[", host.last == "]" { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, !host.contains("[") else { return nil }
        self.init(host: String(host), port: port)
    }

    /// Whether the host is an address, and so no server name.
    var isLiteral: Bool {
        // Throws for what is no literal: that is the question.
        (try? SocketAddress(ipAddress: host, port: port)) != nil
    }

    var text: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Connects; a literal address needs no resolver.
    func connect(with bootstrap: ClientBootstrap) -> EventLoopFuture<any Channel> {
        // What is no literal fails here, and is resolved below.
        if let address = try? SocketAddress(ipAddress: host, port: port) {
            return bootstrap.connect(to: address)
        }
        return bootstrap.connect(host: host, port: port)
    }
}

/// The words in which Go programs tell of a failed connection; users search for them.
enum DialError {
    static func text(_ error: any Error, endpoint: Endpoint) -> String {
        if let failure = error as? NIOConnectionError {
            if let first = failure.connectionErrors.first {
                return text(first.error, endpoint: endpoint)
            }
            return "dial tcp: lookup \(endpoint.host): no such host"
        }
        if case ChannelError.connectTimeout? = error as? ChannelError {
            return "dial tcp \(endpoint.text): i/o timeout"
        }
        if let failure = error as? IOError {
            return "dial tcp \(endpoint.text): connect: \(reason(failure.errnoCode))"
        }
        return "dial tcp \(endpoint.text): \(error)"
    }

    /// Why a connection that was open ended in the middle.
    static func readText(_ error: any Error, endpoint: Endpoint) -> String {
        guard let failure = error as? IOError else { return "\(error)" }
        return "read tcp \(endpoint.text): read: \(reason(failure.errnoCode))"
    }

    private static func reason(_ code: CInt) -> String {
        switch code {
        case 104: "connection reset by peer"
        case 32: "broken pipe"
        case 111: "connection refused"
        case 110: "connection timed out"
        case 101: "network is unreachable"
        case 113: "no route to host"
        case 13: "permission denied"
        default: "errno \(code)"
        }
    }
}
