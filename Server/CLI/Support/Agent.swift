import MusterAPI

/// The agent a command talks to.
struct Agent: Sendable {
    let client: MusterClient
    let address: RegistryAddress

    /// Runs a request; its failure becomes `<prefix>: <Go's text>`.
    ///
    /// Consul's client leaves the reply's body out of the errors of some requests: `showsBody` is
    /// false.
    func call<Result: Sendable>(
        _ prefix: String,
        showsBody: Bool = true,
        _ request: (MusterClient) async throws -> Result
    ) async throws -> Result {
        do {
            return try await request(client)
        } catch let error as MusterError {
            throw CommandFailure("\(prefix): \(text(of: error, showsBody: showsBody))")
        }
    }

    /// The error as Consul's Go client words it.
    func text(of error: MusterError, showsBody: Bool = true) -> String {
        if let status = error.status {
            return "Unexpected response code: \(status)" + (showsBody ? " (\(error.body))" : "")
        }
        let parts = error.request.split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2, error.code == .unreachable || error.code == .timeout else {
            return error.message
        }
        let method = parts[0].prefix(1) + parts[0].dropFirst().lowercased()
        let scheme = address.usesTLS ? "https" : "http"
        let url = "\(scheme)://\(authority)\(parts[1])"
        return "\(method) \"\(url)\": \(reason(of: error))"
    }

    /// The path of a socket, when the address is one.
    private var socket: String? {
        let text = address.description
        return text.hasPrefix("unix://") ? String(text.dropFirst("unix://".count)) : nil
    }

    /// Host and port as Go shows them in an URL.
    private var authority: String {
        if let socket {
            return socket.split(separator: "/", omittingEmptySubsequences: false)
                .map { RegistryRequest.encode(String($0)) }.joined(separator: "%2F")
        }
        return String(address.description.drop { $0 != "/" }.drop { $0 == "/" })
    }

    private func reason(of error: MusterError) -> String {
        if error.code == .timeout { return "context deadline exceeded" }
        let cause = error.cause.map { "\($0)" } ?? error.message
        let dial = socket.map { "dial unix \($0)" } ?? "dial tcp \(authority)"
        if cause.contains("errno: 111") || cause.contains("refused") {
            return "\(dial): connect: connection refused"
        }
        if cause.contains("errno: 2)") {
            return "\(dial): connect: no such file or directory"
        }
        if cause.contains("UnknownHost") {
            let host = authority.prefix { $0 != ":" }
            return "dial tcp: lookup \(host): no such host"
        }
        if cause.contains("WRONG_VERSION_NUMBER") {
            return "http: server gave HTTP response to HTTPS client"
        }
        return "\(dial): \(cause)"
    }
}
