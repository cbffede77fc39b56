import AsyncHTTPClient
import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What an attempt's error says about the instance and about trying again.
enum FailureKind: Hashable, Sendable {
    /// The caller gave up.
    case cancelled
    /// The request is at fault; no instance would do better.
    case invalid
    /// No connection was made: the instance has seen nothing of the request.
    case notSent
    /// The instance may have acted on the request.
    case unanswered

    /// Sorts an error of the HTTP client.
    init(_ error: any Error) {
        switch error {
        case is CancellationError:
            self = .cancelled
        case let error as HTTPClientError:
            self.init(error)
        case is NIOConnectionError:
            self = .notSent
        case ChannelError.connectTimeout, ChannelError.connectPending:
            self = .notSent
        case let error as IOError:
            self = Self.isConnecting(error) ? .notSent : .unanswered
        default:
            self = .unanswered
        }
    }

    private init(_ error: HTTPClientError) {
        switch error {
        case .cancelled, .requestStreamCancelled:
            self = .cancelled
        case .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout,
            .socksHandshakeTimeout, .httpProxyHandshakeTimeout:
            self = .notSent
        case .invalidURL, .emptyHost, .emptyScheme, .missingSocketPath, .alreadyShutdown,
            .identityCodingIncorrectlyPresent, .traceRequestWithBody, .bodyLengthMismatch,
            .writeAfterRequestSent, .proxyAuthenticationRequired, .invalidProxyResponse,
            .redirectLimitReached, .redirectCycleDetected:
            self = .invalid
        default:
            // Those that carry values have no constant to compare with.
            let text = error.shortDescription
            let isInvalid = ["header field", "Unsupported scheme"].contains { text.contains($0) }
            self = isInvalid ? .invalid : .unanswered
        }
    }

    /// Whether it was `connect` that failed; the same numbers may come of a connection in use.
    private static func isConnecting(_ error: IOError) -> Bool {
        switch error.errnoCode {
        case ECONNREFUSED: true
        case EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL, ETIMEDOUT:
            error.description.contains("connect(")
                || error.description.contains("non-blocking connect")
        default: false
        }
    }
}
