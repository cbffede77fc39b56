import AsyncHTTPClient
import Hummingbird
import MusterHTTP
import NIOCore

/// Passes `/services/NAME/REST` on to an instance of the service NAME, as `/REST`.
///
/// Which instance, and what happens when it fails, is decided by the SDK; a request with a body is
/// read whole first, so that it can be sent again. The trace that the request belongs to goes on.
struct ServiceMiddleware<Context: RequestContext>: RouterMiddleware {
    static var largestBody: Int { 1 << 20 }

    let services: ServiceHTTPClient

    func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let parts = request.uri.path.split(separator: "/", maxSplits: 2)
        guard parts.count >= 2, parts[0] == "services" else {
            return try await next(request, context)
        }
        let rest = parts.count > 2 ? parts[2] : ""
        let query = request.uri.query.map { "?" + $0 } ?? ""
        var call = HTTPClientRequest(url: "http://\(parts[1])/\(rest)\(query)")
        call.method = .init(rawValue: request.method.rawValue)
        if let type = request.headers[.contentType] {
            call.headers.add(name: "Content-Type", value: type)
        }
        let body = try await request.body.collect(upTo: Self.largestBody)
        if body.readableBytes > 0 { call.body = .bytes(body) }
        do {
            let answer = try await services.collect(
                call,
                upTo: Self.largestBody,
                timeout: .seconds(5)
            )
            var headers = HTTPFields()
            headers[.contentType] = answer.headers.first(name: "Content-Type")
            return Response(
                status: .init(code: Int(answer.status.code)),
                headers: headers,
                body: ResponseBody(byteBuffer: answer.body)
            )
        } catch let error as HTTPCallError {
            context.logger.warning("A call failed", metadata: ["error": "\(error)"])
            throw HTTPError(
                error.code == .timeout ? .gatewayTimeout : .badGateway,
                message: error.message
            )
        }
    }
}
