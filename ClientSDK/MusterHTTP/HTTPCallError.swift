public import MusterBalancing

/// Why a call to a service has no answer, with what was tried.
///
/// An answer with an error status is no error: it is returned. A cancelled task sees
/// `CancellationError`.
public struct HTTPCallError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure; more may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name.
        public let description: String

        /// The service has no instance that takes calls.
        public static let noInstance = Code(description: "no instance")
        /// No answer came before the call's time was over.
        public static let timeout = Code(description: "timeout")
        /// No instance that was tried answered.
        public static let unreachable = Code(description: "unreachable")
        /// The request cannot be sent as it is.
        public static let invalidRequest = Code(description: "invalid request")
        /// The answer is larger than the caller allows.
        public static let tooLarge = Code(description: "too large")
        /// More services are called than one client keeps.
        public static let tooManyServices = Code(description: "too many services")
    }

    /// One attempt that gave no answer, or one that another attempt was to replace.
    public struct Attempt: Sendable, CustomStringConvertible {
        /// Where it was sent.
        public let endpoint: ServiceEndpoint

        /// The status of the answer, nil when there was none.
        public let status: Int?

        /// Why there was no answer, nil when there was one.
        public let error: (any Error)?

        /// How long it took.
        public let duration: Duration

        /// Endpoint, reason and duration.
        public var description: String {
            let reason = error.map { "\($0)" } ?? status.map { "status \($0)" } ?? "no answer"
            return "\(endpoint): \(reason) after \(duration)"
        }
    }

    /// The kind of failure.
    public var code: Code

    /// The service that was called.
    public var service: String

    /// What is wrong, in a sentence.
    public var message: String

    /// What was tried, in the order in which it ended.
    public var attempts: [Attempt]

    /// The error below this one, when there is one.
    public var cause: (any Error)?

    /// Makes an error.
    public init(
        code: Code,
        service: String,
        message: String,
        attempts: [Attempt] = [],
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.service = service
        self.message = message
        self.attempts = attempts
        self.cause = cause
    }

    /// What can be done about it.
    public var remedy: String {
        switch code {
        case .noInstance: "check that the service is registered and that its checks pass"
        case .timeout: "allow more time, or see why the instances that were tried are slow"
        case .unreachable: "see why the instances that were tried do not answer"
        case .invalidRequest: "correct the request"
        case .tooLarge: "allow more bytes, or read the answer as a stream"
        case .tooManyServices: "use a client of its own for each group of services"
        default: "see the message"
        }
    }

    /// Code, message, attempts and remedy in one line.
    public var description: String {
        var text = "\(code): \(message)"
        if !attempts.isEmpty {
            text += " [" + attempts.map(\.description).joined(separator: "; ") + "]"
        } else if let cause {
            text += ", because of \(cause)"
        }
        return text + "; \(remedy)"
    }
}
