import Wire

/// The `Cache-Control` field of requests with `cached`.
///
/// Everything is read from the newest state, so any age that a client names is met; what remains is
/// to refuse what Consul refuses.
/// - Source: Consul: api-docs/features/caching.
enum CacheControl {
    static func check(_ fields: [String]) throws(HTTPError) {
        for field in fields {
            for directive in field.lowercased().split(separator: ",") {
                let trimmed = directive.drop { $0 == " " }
                let parts = trimmed.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, parts[0] == "max-age" || parts[0] == "stale-if-error" else {
                    continue
                }
                let digits = parts[1].prefix { $0 != " " }
                guard let seconds = UInt64(digits), seconds < 1 << 32 else {
                    throw .badRequest("Invalid Cache-Control header.")
                }
            }
        }
    }
}
