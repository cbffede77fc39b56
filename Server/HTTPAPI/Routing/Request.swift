package import NIOCore
package import NIOHTTP1

/// One request as handlers see it: parsed, with its whole body.
package struct Request: Sendable {
    package let method: HTTPMethod
    /// The target as it came, for logs and as the identity of a query.
    package let target: String
    /// The decoded path.
    package let path: String
    /// What follows the route's prefix in the path; empty for exact routes.
    package let rest: String
    package let query: QueryParameters
    package let headers: HTTPHeaders
    package let body: ByteBuffer

    package init(
        method: HTTPMethod,
        target: String,
        path: String,
        rest: String,
        query: QueryParameters,
        headers: HTTPHeaders,
        body: ByteBuffer
    ) {
        self.method = method
        self.target = target
        self.path = path
        self.rest = rest
        self.query = query
        self.headers = headers
        self.body = body
    }

    /// The secret that the request carries, from whichever accepted place, or empty.
    ///
    /// - Source: Consul: api-docs "Authentication": `?token`, `X-Consul-Token`, `Authorization`.
    package var token: String {
        if let token = query["token"], !token.isEmpty { return token }
        if let token = headers.first(name: "X-Consul-Token"), !token.isEmpty { return token }
        guard let field = headers.first(name: "Authorization") else { return "" }
        let parts = field.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count > 1, parts[0].lowercased() == "bearer" else { return "" }
        return parts[1].split(separator: " ").first.map(String.init) ?? ""
    }

    /// The body's bytes.
    package var bodyBytes: [UInt8] {
        Array(body.readableBytesView)
    }

    /// The datacenter that the request is for.
    package func datacenter(_ settings: HTTPSettings) -> String {
        query["dc"].flatMap { $0.isEmpty ? nil : $0 } ?? settings.datacenter
    }

    /// Refuses a datacenter that this server knows no way to.
    package func requireDatacenter(_ settings: HTTPSettings) throws(HTTPError) {
        guard datacenter(settings) == settings.datacenter else {
            throw .failed("No path to datacenter")
        }
    }

    /// Whether the reply may be compressed.
    ///
    /// Consul's 404 replies without a body tell their index only then: py-consul relies on it.
    package var acceptsGzip: Bool {
        headers.first(name: "Accept-Encoding").map { Gzip.isAccepted(by: $0) } ?? false
    }

    /// Refuses `ns`, as Consul without Enterprise does.
    package func refuseNamespace() throws(HTTPError) {
        guard let namespace = query["ns"] ?? headers.first(name: "X-Consul-Namespace"),
            !namespace.isEmpty
        else { return }
        let isParameter = query.contains("ns")
        let what = isParameter ? "query parameter: \"ns\"" : "header: \"X-Consul-Namespace\""
        throw .badRequest(
            "Bad request: Invalid \(what) - Namespaces are a Consul Enterprise feature"
        )
    }

    /// What follows the prefix, or the text Consul answers when nothing does.
    package func name(orMissing what: String) throws(HTTPError) -> String {
        guard !rest.isEmpty else { throw .badRequest("Missing \(what)") }
        return rest
    }
}
