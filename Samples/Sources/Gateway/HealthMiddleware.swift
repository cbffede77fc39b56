import Hummingbird
import MusterBalancing
import MusterDiscovery

/// Answers `/health`: 200 while every service that is needed has instances, else 503.
///
/// It only looks at what the discovery knows already: being asked often costs nothing.
struct HealthMiddleware<Context: RequestContext>: RouterMiddleware {
    let needs: [WatchedService]

    func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.method == .get, request.uri.path == "/health" else {
            return try await next(request, context)
        }
        var isWell = true
        var text = ""
        for service in needs {
            let snapshot = service.current
            let count = snapshot?.instances.count ?? 0
            if count == 0 { isWell = false }
            text += "\(service.query.name): \(count) instances"
            if case .stale? = snapshot?.origin { text += ", the registry is silent" }
            text += "\n"
        }
        return Response(
            status: isWell ? .ok : .serviceUnavailable,
            headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}
