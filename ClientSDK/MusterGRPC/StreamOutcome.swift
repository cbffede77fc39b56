#if GRPC
import GRPCCore
import MusterBalancing

extension CallOutcome {
    /// What a status says about the instance.
    ///
    /// Statuses that gateways translate to HTTP's 5xx count against it; those that are the caller's
    /// fault do not.
    ///
    /// - Source: googleapis `google/rpc/code.proto` (HTTP mapping); Envoy does the same.
    /// - Deviation: `unimplemented` is the caller's: another copy has no other methods.
    init(_ code: Status.Code) {
        switch code {
        case .unknown, .deadlineExceeded, .internalError, .unavailable, .dataLoss: self = .failure
        case .cancelled: self = .cancelled
        default: self = .success
        }
    }

    /// What an error says about the instance.
    ///
    /// - Parameters:
    ///   - error: Why the call has no status.
    ///   - isLate: Whether the call's time was over: what was cancelled for that was too slow.
    init(_ error: any Error, isLate: Bool) {
        if isLate {
            self = .failure
        } else if error is CancellationError {
            self = .cancelled
        } else if let error = error as? RPCError {
            self = CallOutcome(Status.Code(error.code))
        } else {
            // Somebody else's: of the application's own code, for example.
            self = .cancelled
        }
    }
}
#endif
