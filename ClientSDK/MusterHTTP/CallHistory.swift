import AsyncHTTPClient
import MusterBalancing
import MusterDiscovery
import NIOCore
import NIOHTTP1

/// What one call has tried.
struct CallHistory: Sendable {
    let service: String

    /// The instances that were tried.
    private(set) var endpoints: [ServiceEndpoint] = []
    private(set) var attempts: [HTTPCallError.Attempt] = []

    init(service: String) { self.service = service }

    mutating func note(_ outcome: ServiceCall.Outcome) {
        switch outcome {
        case .answered(let answer):
            note(answer.call, status: Int(answer.response.status.code), error: nil)
        case .failed(let call, let error, _):
            note(call, status: nil, error: error)
        }
    }

    private mutating func note(_ call: OpenCall, status: Int?, error: (any Error)?) {
        if !endpoints.contains(call.endpoint) { endpoints.append(call.endpoint) }
        attempts.append(
            HTTPCallError.Attempt(
                endpoint: call.endpoint,
                status: status,
                error: error,
                duration: call.elapsed
            )
        )
    }

    /// Notes an instance to which an attempt is on its way.
    mutating func began(_ endpoint: ServiceEndpoint) { endpoints.append(endpoint) }

    /// The error that the caller sees.
    func error(last: any Error, _ kind: FailureKind, isLate: Bool) -> HTTPCallError {
        let (code, message): (HTTPCallError.Code, String) =
            if last is NIOTooManyBytesError {
                (.tooLarge, "the answer of service \"\(service)\" is too large")
            } else if kind == .invalid {
                (.invalidRequest, "the request to service \"\(service)\" cannot be sent: \(last)")
            } else if isLate || Self.isTimeout(last) {
                (.timeout, "service \"\(service)\" did not answer in time")
            } else {
                (.unreachable, "service \"\(service)\" did not answer")
            }
        return HTTPCallError(
            code: code,
            service: service,
            message: message,
            attempts: attempts,
            cause: last
        )
    }

    private static func isTimeout(_ error: any Error) -> Bool {
        guard let error = error as? HTTPClientError else { return false }
        return [.deadlineExceeded, .readTimeout, .getConnectionFromPoolTimeout].contains(error)
    }
}
