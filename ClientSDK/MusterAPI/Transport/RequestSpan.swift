import Tracing

/// The span of one registry call, its retries included.
///
/// It is started and ended by hand: it has no children in this process, so it need not be the
/// current one of the task.
/// - Source: OpenTelemetry, Semantic Conventions for HTTP Client Spans.
struct RequestSpan {
    private let span: any Span

    init(_ tracer: any Tracer, _ request: RegistryRequest) {
        span = tracer.startSpan("\(request.method) \(Self.route(request.path))", ofKind: .client)
        span.attributes["http.request.method"] = request.method
        span.attributes["url.path"] = request.path
    }

    /// The endpoint without the names that follow it, so that spans of one kind group together.
    private static func route(_ path: String) -> String {
        let parts = path.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: true)
        let isKey = parts.dropFirst().first == "kv"
        return "/" + parts.prefix(isKey ? 2 : 3).joined(separator: "/")
    }

    /// Notes where the request is sent, the latest time.
    func sent(to address: RegistryAddress, attempt: Int) {
        switch address.kind {
        case .tcp(let host, let port):
            span.attributes["server.address"] = host
            span.attributes["server.port"] = port
        case .unixSocket(let path): span.attributes["server.address"] = path
        }
        if attempt > 1 { span.attributes["http.request.resend_count"] = attempt - 1 }
    }

    /// Ends the span with an answer.
    func end(status: Int) {
        span.attributes["http.response.status_code"] = status
        if status >= 400 { fail("\(status)", nil) }
        span.end()
    }

    /// Ends the span without an answer.
    func end(_ error: any Error) {
        if error is CancellationError {
            span.attributes["error.type"] = "cancelled"
        } else {
            fail((error as? MusterError)?.code.description ?? "\(type(of: error))", "\(error)")
            span.recordError(error)
        }
        span.end()
    }

    private func fail(_ type: String, _ message: String?) {
        span.attributes["error.type"] = type
        span.setStatus(SpanStatus(code: .error, message: message))
    }
}
