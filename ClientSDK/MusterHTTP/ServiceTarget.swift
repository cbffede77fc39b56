import MusterBalancing

/// The URL of a request to a service, taken apart so that an instance's authority can be put in.
struct ServiceTarget: Hashable, Sendable {
    /// `http` or `https`.
    let scheme: String

    /// Host and port as the request has them, without user and password.
    let authority: String

    /// The host alone: the service's name.
    let service: String

    /// Path, query and fragment, possibly empty.
    let rest: String

    /// Takes a URL apart.
    ///
    /// - Parameter url: Like `http://payments/v1/charges?all`; a port in it only shows in `Host`.
    /// - Throws: ``HTTPCallError`` with code `invalidRequest`.
    /// - Source: RFC 3986 §3.
    init(_ url: String) throws(HTTPCallError) {
        guard let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://") else {
            throw Self.refuse(url, "it has no scheme")
        }
        let scheme = url[..<colon].lowercased()
        guard scheme == "http" || scheme == "https" else {
            throw Self.refuse(url, "its scheme is neither http nor https")
        }
        let afterScheme = url[url.index(colon, offsetBy: 3)...]
        let end = afterScheme.firstIndex { "/?#".contains($0) } ?? afterScheme.endIndex
        var authority = afterScheme[..<end]
        if let at = authority.lastIndex(of: "@") {
            authority = authority[authority.index(after: at)...]
        }
        var host = authority
        if let bracket = host.lastIndex(of: "]") {
            host = host[...bracket]
        } else if let port = host.lastIndex(of: ":") {
            host = host[..<port]
        }
        guard !host.isEmpty else { throw Self.refuse(url, "it names no service") }
        self.scheme = scheme
        self.authority = String(authority)
        service = String(host)
        rest = String(afterScheme[end...])
    }

    private static func refuse(_ url: String, _ reason: String) -> HTTPCallError {
        HTTPCallError(
            code: .invalidRequest,
            service: url,
            message: "\"\(url)\" cannot be sent to an instance: \(reason)"
        )
    }

    /// The URL at an instance; one without a port has the scheme's.
    func url(at endpoint: ServiceEndpoint) -> String {
        guard endpoint.port == 0 else { return "\(scheme)://\(endpoint.authority)\(rest)" }
        let host = endpoint.family == .ipv6 ? "[\(endpoint.host)]" : endpoint.host
        return "\(scheme)://\(host)\(rest)"
    }
}
