/// Why a request to the registry failed, with what to do about it.
///
/// Cancellation is not among these: a cancelled task sees `CancellationError`.
public struct MusterError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure; more may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name.
        public let description: String

        private init(_ description: String) { self.description = description }

        /// The configuration cannot be used.
        public static let invalidConfiguration = Code("invalid configuration")
        /// No connection to the registry could be made, or it broke.
        public static let unreachable = Code("unreachable")
        /// The TLS handshake failed: certificate, name or authority do not match.
        public static let untrusted = Code("untrusted")
        /// The registry did not answer in time.
        public static let timeout = Code("timeout")
        /// The registry refused the request as malformed (400 and other 4xx).
        public static let badRequest = Code("bad request")
        /// The token is missing or does not permit the request (401, 403).
        public static let forbidden = Code("forbidden")
        /// What the request names does not exist (404).
        public static let notFound = Code("not found")
        /// The state the request asks for has changed meanwhile (409).
        public static let conflict = Code("conflict")
        /// The registry asks to send less (429).
        public static let rateLimited = Code("rate limited")
        /// The registry cannot answer now (502, 503, 504).
        public static let unavailable = Code("unavailable")
        /// The registry failed (any other 5xx).
        public static let serverError = Code("server error")
        /// The answer could not be understood.
        public static let invalidResponse = Code("invalid response")
        /// The answer is larger than the setting allows.
        public static let tooLarge = Code("too large")
    }

    /// The kind of failure.
    public var code: Code

    /// The HTTP status, nil when there was no answer.
    public var status: Int?

    /// The answer's text, shortened to 4 KB; Consul explains its refusals there.
    public var body: String

    /// Method and path of the request.
    public var request: String

    /// What is wrong, in a sentence.
    public var message: String

    /// The error below this one, when there is one.
    public var cause: (any Error)?

    /// Makes an error.
    public init(
        code: Code,
        message: String,
        status: Int? = nil,
        body: String = "",
        request: String = "",
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.status = status
        self.body = body
        self.request = request
        self.message = message
        self.cause = cause
    }

    /// What can be done about it.
    public var remedy: String {
        switch code {
        case .invalidConfiguration: "correct the setting named in the message"
        case .unreachable:
            "check that an agent runs there and that CONSUL_HTTP_ADDR or the address is right"
        case .untrusted:
            "check the authority (CONSUL_CACERT), the name in the server's certificate "
                + "(CONSUL_TLS_SERVER_NAME), and whether it wants one of the client"
        case .timeout: "check the agent's load, or allow a longer request timeout"
        case .badRequest: "correct the request; the body says what the registry objects to"
        case .forbidden: "give a token that permits it (CONSUL_HTTP_TOKEN or the token setting)"
        case .notFound: "check the name; an agent that was restarted forgets what was registered"
        case .conflict: "read the current state and decide again"
        case .rateLimited: "send less, or ask another agent"
        case .unavailable: "wait a little and try again: the cluster may be electing a leader"
        case .serverError: "see the body and the agent's log; trying again may help"
        case .invalidResponse: "check that the address belongs to a Consul-compatible agent"
        case .tooLarge: "narrow the query, or raise maximumResponseBytes"
        default: "see the message"
        }
    }

    /// Code, message, status, body and remedy in one line.
    public var description: String {
        var text = "\(code): \(message)"
        if !request.isEmpty { text += " (\(request))" }
        if let status { text += ", status \(status)" }
        if !body.isEmpty { text += ", body \"\(body)\"" }
        if let cause { text += ", because of \(cause)" }
        return text + "; \(remedy)"
    }
}

extension MusterError {
    /// The error that a reply with a failure status means.
    static func refused(status: Int, body: [UInt8], request: String) -> MusterError {
        let code: Code =
            switch status {
            case 401, 403: .forbidden
            case 404: .notFound
            case 409: .conflict
            case 429: .rateLimited
            case 502, 503, 504: .unavailable
            case 500...: .serverError
            default: .badRequest
            }
        let text = String(decoding: body.prefix(Limits.errorBodyBytes), as: UTF8.self)
        return MusterError(
            code: code,
            message: "the registry refused the request",
            status: status,
            body: text.hasSuffix("\n") ? String(text.dropLast()) : text,
            request: request
        )
    }
}
