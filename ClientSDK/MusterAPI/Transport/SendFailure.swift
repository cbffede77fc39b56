import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Why there is no answer, and what may be done about it.
struct SendFailure {
    /// How far the request came.
    enum Reach {
        /// It certainly never left.
        case notSent
        /// It may have arrived: the connection broke.
        case perhapsArrived
        /// The time is over; it may have arrived.
        case tooLate
        /// Sending it again would not help.
        case final
    }

    /// What the caller sees: ``MusterError`` or `CancellationError`.
    let error: any Error
    let reach: Reach

    /// Reads what the HTTP client has thrown.
    init(_ error: any Error, _ request: RegistryRequest) {
        if error is CancellationError || (error as? HTTPClientError) == .cancelled {
            self.error = CancellationError()
            reach = .final
            return
        }
        if let error = error as? MusterError {
            self.error = error
            reach = .final
            return
        }
        let (code, message, reach) = Self.meaning(error)
        self.error = MusterError(
            code: code,
            message: message,
            request: "\(request.method) \(request.target)",
            cause: error
        )
        self.reach = reach
    }

    private static func meaning(_ error: any Error) -> (MusterError.Code, String, Reach) {
        switch error {
        case let error as HTTPClientError: return meaning(error)
        case is NIOConnectionError:
            return (.unreachable, "no connection to the registry could be made", .notSent)
        case let error as IOError where isRefusal(error.errnoCode):
            return (.unreachable, "no connection to the registry could be made", .notSent)
        case let error as NIOSSLError:
            if case .handshakeFailed = error { return (.untrusted, handshake, .notSent) }
            return (.untrusted, "TLS with the registry failed", .perhapsArrived)
        case is NIOSSLExtraError: return (.untrusted, handshake, .notSent)
        case is BoringSSLError:
            return (.untrusted, "TLS with the registry failed", .perhapsArrived)
        case is NIOTooManyBytesError:
            return (.tooLarge, "the answer is larger than the setting allows", .final)
        case let error as HTTPParserError:
            // The connection ended within an answer.
            if error == .invalidEOFState { return (.unreachable, broken, .perhapsArrived) }
            return (.invalidResponse, "what answers does not speak HTTP", .final)
        default: return (.unreachable, broken, .perhapsArrived)
        }
    }

    private static let handshake = "the registry and the client do not trust each other"
    private static let broken = "the connection to the registry broke before the answer was there"

    private static func meaning(_ error: HTTPClientError) -> (MusterError.Code, String, Reach) {
        switch error {
        case .connectTimeout:
            (.unreachable, "no connection to the registry could be made in time", .notSent)
        case .tlsHandshakeTimeout: (.untrusted, "the TLS handshake took too long", .notSent)
        case .deadlineExceeded, .readTimeout, .writeTimeout, .getConnectionFromPoolTimeout:
            (.timeout, "no answer in time", .tooLate)
        case .remoteConnectionClosed, .uncleanShutdown, .requestStreamCancelled:
            (.unreachable, broken, .perhapsArrived)
        case .invalidURL, .emptyHost, .missingSocketPath:
            (.invalidConfiguration, "the address cannot be used", .final)
        case .alreadyShutdown:
            (.invalidConfiguration, "the client has been shut down", .final)
        default: (.badRequest, "the request cannot be sent as it is", .final)
        }
    }

    /// Whether the system's error says that there was never a connection.
    private static func isRefusal(_ code: CInt) -> Bool {
        [ECONNREFUSED, ENOENT, EHOSTUNREACH, ENETUNREACH, ENETDOWN, EACCES, EADDRNOTAVAIL]
            .contains(code)
    }
}
