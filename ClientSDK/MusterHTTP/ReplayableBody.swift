import AsyncHTTPClient
import NIOHTTP1

extension HTTPClientRequest {
    /// Whether acting on it twice does no harm, as far as method and headers say.
    ///
    /// - Source: RFC 9110 §9.2.2; draft-ietf-httpapi-idempotency-key-header.
    var isIdempotent: Bool {
        switch method {
        case .GET, .HEAD, .OPTIONS, .TRACE, .PUT, .DELETE: true
        default: headers.contains(name: "Idempotency-Key")
        }
    }

    /// Whether its body can be sent a second time.
    ///
    /// The HTTP client knows and does not tell, so this looks at the body's cases; one that it
    /// does not know counts as consumed by the first sending.
    var hasReplayableBody: Bool {
        guard let body else { return true }
        guard let mode = Mirror(reflecting: body).descendant("mode") else { return false }
        guard let content = Mirror(reflecting: mode).children.first else { return false }
        switch content.label {
        case "byteBuffer":
            return true
        case "sequence":
            let parts = Mirror(reflecting: content.value)
            return parts.descendant("canBeConsumedMultipleTimes") as? Bool ?? false
        default:
            return false
        }
    }
}
