/// The parts of an `http` or `https` URL that a request needs.
struct HTTPTarget: Hashable, Sendable {
    var isSecure: Bool
    var endpoint: Endpoint
    /// The host and port as written, for the `Host` field.
    var authority: String
    /// Path and query; at least `/`.
    var pathAndQuery: String
    /// `user:password`, or empty.
    var credentials: String

    /// Parses an absolute URL; nil when it is none or its scheme is another.
    init?(_ url: String) {
        guard let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://") else {
            return nil
        }
        switch url[..<colon].lowercased() {
        case "http": isSecure = false
        case "https": isSecure = true
        default: return nil
        }
        let rest = url[url.index(colon, offsetBy: 3)...]
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        var authority = rest[..<end]
        credentials = ""
        if let at = authority.lastIndex(of: "@") {
            credentials = String(authority[..<at])
            authority = authority[authority.index(after: at)...]
        }
        self.authority = String(authority)
        let standard = isSecure ? 443 : 80
        if let endpoint = Endpoint(self.authority) {
            self.endpoint = endpoint
        } else {
            var host = authority
            if host.first == "[", host.last == "]" { host = host.dropFirst().dropLast() }
            guard !host.isEmpty, !host.hasSuffix(":") else { return nil }
            endpoint = Endpoint(host: String(host), port: standard)
        }
        let path = rest[end...].prefix { $0 != "#" }
        pathAndQuery = path.first == "/" ? String(path) : "/" + path
        guard pathAndQuery.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }),
            self.authority.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f })
        else { return nil }
    }

    /// The URL that a `Location` field of an answer from here means.
    func resolving(_ location: String) -> String {
        if location.contains("://") { return location }
        let root = (isSecure ? "https://" : "http://") + authority
        if location.hasPrefix("//") { return (isSecure ? "https:" : "http:") + location }
        if location.hasPrefix("/") { return root + location }
        let path = pathAndQuery.prefix { $0 != "?" }
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
        return root + folder + location
    }
}
